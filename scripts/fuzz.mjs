/**
 * `node scripts/fuzz.mjs [TARGET...] [--seconds N]`: builds the libFuzzer targets of tests/fuzz with clang and its
 * sanitizers, runs each for N seconds (60) and prints runs and coverage. TARGET is frame, board, pack, pack-dsp or
 * pack-quad (packs on the portable twins of the kernels for Cortex-M4 and M0+); all by default.
 *
 * The corpus grows in node_modules/.cache/mote-fuzz; inputs that crash are kept there too and named in the output.
 */
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { runnerImport } from 'vite';
import { PACK_SOURCES, RUNTIME_SOURCES } from './runtime-sources.mjs';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const RUNTIME = join(ROOT, 'firmware/mote/src');
const MODEL = join(ROOT, 'static-models/gestures/gestures.mote');

const TARGETS = {
  frame: { sources: ['mote_frame.c'], longest: 2048, seeds: frameSeeds },
  board: { sources: RUNTIME_SOURCES, longest: 32_768, seeds: boardSeeds },
  pack: { sources: PACK_SOURCES, longest: 32_768, seeds: packSeeds },
  'pack-dsp': {
    main: 'pack',
    sources: PACK_SOURCES,
    longest: 32_768,
    seeds: packSeeds,
    flags: ['-DMOTE_TEST_ROWS_DSP'],
  },
  'pack-quad': {
    main: 'pack',
    sources: PACK_SOURCES,
    longest: 32_768,
    seeds: packSeeds,
    flags: ['-DMOTE_TEST_ROWS_QUAD'],
  },
};

const FLAGS = ['-std=c99', '-O1', '-g', '-fsanitize=fuzzer,address,undefined', '-fno-sanitize-recover=all'];

/** Why nothing can be fuzzed here, or null. */
export function whyNoFuzzing() {
  const folder = mkdtempSync(join(tmpdir(), 'mote-fuzz-'));
  try {
    const source = join(folder, 'nothing.c');
    writeFileSync(
      source,
      'int LLVMFuzzerTestOneInput(const unsigned char *d, unsigned long n) { (void)d; (void)n; return 0; }\n',
    );
    const done = spawnSync('clang', [...FLAGS, source, '-o', join(folder, 'nothing')], { encoding: 'utf8' });
    if (done.error) return 'clang is not installed';
    return done.status === 0 ? null : 'clang has no libFuzzer (Debian: libclang-rt-14-dev)';
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A model with features, and networks of every operation. */
async function packSeeds() {
  const { module } = await runnerImport(join(ROOT, 'tests/fuzz/pack-seeds.ts'), { configFile: false, root: ROOT });
  return [readFileSync(MODEL), ...module.packSeeds()];
}

/** A little message of every type, as the frame target takes it: longest body, then a frame of the wire. */
function frameSeeds() {
  const frame = (...bytes) => {
    const raw = Buffer.from(bytes);
    const crc = Buffer.alloc(4);
    crc.writeUInt32LE(crc32(raw));
    return Buffer.concat([Buffer.from([0, 1]), Buffer.from([0, ...cobs(Buffer.concat([raw, crc])), 0])]);
  };
  return [frame(1, 1, 1, 1), frame(2, 2), frame(3, 0, 0, 0, 0, 0), frame(4, 200, ...new Uint8Array(300).fill(9))];
}

/** Steps for the board: greet, stream, put a real model into a slot, test, activate and run it. */
function boardSeeds() {
  const wire = readFileSync(join(RUNTIME, 'mote_wire.h'), 'utf8');
  const type = (name) => {
    const value = new RegExp(`MOTE_MSG_${name}\\b\\s*=?\\s*(0x[0-9a-f]+|\\d+)`, 'i').exec(wire)?.[1];
    if (value === undefined) throw new Error(`mote_wire.h has no MOTE_MSG_${name}`);
    return Number(value);
  };
  let id = 0;
  const say = (name, ...body) => {
    id = (id % 255) + 1;
    const bytes = [type(name), id, ...body];
    // A length of 256 and more: the bit with the value 8 stands for three bytes more.
    return bytes.length > 255 ? [2 | 8, bytes.length - 3, ...bytes] : [2, bytes.length, ...bytes];
  };
  const u32 = (value) => [value & 255, (value >>> 8) & 255, (value >>> 16) & 255, value >>> 24];
  const polls = (count) => [5 | ((count - 1) << 3)];
  const greet = [...say('HELLO', 1, 1), ...say('STATUS'), ...say('CHANNELS', 0), ...say('SLOT', 0), ...say('PING', 7)];
  const stream = [...say('STREAM_START', ...u32(0)), ...polls(20), ...say('STREAM_STOP'), ...polls(3)];
  const pack = readFileSync(MODEL);
  const put = [...say('PUT_BEGIN', 0, ...u32(pack.length), ...u32(crc32(pack)))];
  for (let at = 0; at < pack.length; at += 252) {
    put.push(...say('PUT_CHUNK', ...u32(at), ...pack.subarray(at, at + 252)), ...polls(1));
  }
  put.push(...say('PUT_END'), ...polls(2));
  // A whole window of floats, all 12: six channels, 100 frames.
  const chunks = (bytes) =>
    Array.from({ length: Math.ceil(bytes / 240) }, (_, index) =>
      say('CLASSIFY_CHUNK', ...u32(240 * index), ...new Uint8Array(240).map((_, at) => [0, 0, 64, 65][at % 4] ?? 0)),
    ).flat();
  const run = [
    ...[...say('SELF_TEST', 0), ...polls(32), ...polls(32), ...polls(10)],
    ...[...say('ACTIVATE', 0), ...say('STREAM_START', ...u32(0)), ...say('RUN_START', ...u32(0)), ...polls(32)],
    ...[...polls(32), ...polls(32), ...polls(32), ...polls(32), ...say('STREAM_STOP'), ...say('RUN_STOP')],
    ...[...say('CLASSIFY_BEGIN', 0), ...chunks(2400)],
    ...[...say('CLASSIFY_END'), ...say('READ', 0, ...u32(16), 64, 0), 7, ...say('STATUS'), ...polls(4)],
  ];
  return [
    [...greet, ...stream],
    [...put.slice(0, 2000), 7, ...say('SLOT', 0), ...polls(2)],
    [...greet, ...put, ...run],
  ].map((steps) => Buffer.from(steps));
}

function crc32(bytes) {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return (crc ^ 0xffffffff) >>> 0;
}

/** Consistent overhead byte stuffing (Cheshire and Baker 1999), without delimiters. */
function cobs(bytes) {
  const out = [];
  let block = [];
  for (const byte of bytes) {
    if (byte !== 0) block.push(byte);
    if (byte === 0 || block.length === 254) {
      out.push(block.length + 1, ...block);
      block = [];
    }
  }
  out.push(block.length + 1, ...block);
  return out;
}

/**
 * Builds and runs one target. Returns its runs, the branches (edges) it covered, and what it said; `crash` is the path of
 * an input that ended it, or null.
 */
export async function fuzz(name, seconds, folder) {
  const { main = name, sources, longest, seeds, flags = [] } = TARGETS[name];
  const corpus = join(folder, name, 'corpus');
  const found = join(folder, name, 'found/');
  for (const path of [corpus, found]) mkdirSync(path, { recursive: true });
  (await seeds()).forEach((bytes, index) => writeFileSync(join(corpus, `seed-${index}`), bytes));
  const program = join(folder, name, 'fuzzer');
  const files = [join(ROOT, `tests/fuzz/fuzz-${main}.c`), ...sources.map((source) => join(RUNTIME, source))];
  const built = spawnSync('clang', [...FLAGS, ...flags, '-I', RUNTIME, ...files, '-o', program], { encoding: 'utf8' });
  if (built.status !== 0) throw new Error(`clang failed:\n${built.stderr}`);
  const args = [`-max_total_time=${seconds}`, `-max_len=${longest}`, '-timeout=20', '-print_final_stats=1'];
  const said = await new Promise((resolve, reject) => {
    const child = spawn(program, [...args, `-artifact_prefix=${found}`, corpus], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let text = '';
    child.stderr.on('data', (bytes) => {
      // The end is what counts; hours of progress need not be kept.
      text = (text + bytes.toString()).slice(-200_000);
    });
    child.on('error', reject);
    child.on('close', (status) => resolve({ text, status }));
  });
  const last = (pattern) => Number([...said.text.matchAll(pattern)].at(-1)?.[1] ?? 0);
  return {
    runs: last(/stat::number_of_executed_units:\s*(\d+)/g),
    edges: last(/ cov: (\d+)/g),
    corpus: last(/ corp: (\d+)/g),
    crash: said.status === 0 ? null : (/Test unit written to (\S+)/.exec(said.text)?.[1] ?? `exit ${said.status}`),
    text: said.text,
  };
}

async function main() {
  const { values, positionals } = parseArgs({ options: { seconds: { type: 'string' } }, allowPositionals: true });
  const seconds = Number(values.seconds ?? 60);
  const unknown = positionals.filter((name) => !Object.hasOwn(TARGETS, name));
  if (!(seconds >= 1) || unknown.length > 0) {
    console.error(`usage: node scripts/fuzz.mjs [${Object.keys(TARGETS).join('|')}...] [--seconds N]`);
    process.exitCode = 2;
    return;
  }
  const missing = whyNoFuzzing();
  if (missing !== null) {
    console.error(`fuzz: ${missing}`);
    process.exitCode = 1;
    return;
  }
  const folder = join(ROOT, 'node_modules', '.cache', 'mote-fuzz');
  for (const name of positionals.length > 0 ? positionals : Object.keys(TARGETS)) {
    const { runs, edges, corpus, crash, text } = await fuzz(name, seconds, folder);
    console.log(`${name}: ${runs} runs in ${seconds} s, ${edges} edges covered, ${corpus} inputs in the corpus`);
    if (crash !== null) {
      console.error(`${text.slice(-6000)}\n${name}: FOUND ${crash}`);
      process.exitCode = 1;
    }
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
