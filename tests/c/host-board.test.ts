import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join as joinPath } from 'node:path';
import { ReadStream } from 'node:tty';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { RUNTIME_SOURCES } from '../../scripts/runtime-sources.mjs';
import { strideFrames } from '../../src/dsp/block';
import { createRunner } from '../../src/emit/run-model';
import { packId } from '../../src/emit/pack';
import { MESSAGE, PROTOCOL } from '../../src/board/wire';
import { Fields, MoteClient, resultOf, u32 } from './mote-client';
import { root, run, runtime, STRICT } from './native-program';
import { sixAxisModel } from './six-axis-model';

const ACC = Math.fround(Math.fround(9.80665) / 2048);
const GYR = Math.fround(2000 / 32768);

let folder: string;
let program: string;
const running: ChildProcess[] = [];

beforeAll(() => {
  folder = mkdtempSync(joinPath(tmpdir(), 'mote-host-'));
  program = joinPath(folder, 'mote-board');
  const sources = RUNTIME_SOURCES.map((name) => joinPath(runtime, name));
  const main = joinPath(root, 'firmware/boards/host/main.c');
  const flags = ['-std=c99', '-O2', ...STRICT, `-I${runtime}`];
  run('gcc', [...flags, main, ...sources, '-lm', '-o', program]);
});
afterEach(() => running.splice(0).forEach((child) => child.kill('SIGKILL')));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface HostBoard {
  readonly child: ChildProcess;
  readonly client: MoteClient;
  readonly ended: Promise<number | null>;
}

/** Starts the process and talks to its stdin and stdout. */
function start(...args: readonly string[]): HostBoard {
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'ignore'] });
  running.push(child);
  let said = Buffer.alloc(0);
  child.stdout.on('data', (bytes: Buffer) => (said = Buffer.concat([said, bytes])));
  child.stdin.on('error', () => undefined);
  const ended = new Promise<number | null>((resolve) => child.on('exit', resolve));
  const client = new MoteClient(async (bytes) => {
    if (child.exitCode !== null || child.signalCode !== null) throw new Error('The board is gone');
    if (bytes.length > 0) child.stdin.write(bytes);
    await new Promise((resolve) => setTimeout(resolve, 2));
    const taken = Uint8Array.from(said);
    said = Buffer.alloc(0);
    return taken;
  });
  return { child, client, ended };
}

describe('host board', () => {
  it('plays CSV samples and classifies them like the interpreter', async () => {
    const rows = Array.from({ length: 300 }, (_, i) =>
      [0, 1, 2, 3, 4, 5].map((c) => (c < 3 ? 9 : 300) * Math.sin((i * (c + 1)) / 20)),
    );
    const csv = joinPath(folder, 'samples.csv');
    const lines = rows.map((row, i) => [i * 10, ...row.map((value) => value.toFixed(2))].join(','));
    writeFileSync(csv, ['timestamp,accX,accY,accZ,gyrX,gyrY,gyrZ', ...lines, ''].join('\n'));
    const { model, pack } = sixAxisModel(1, ['x', 'y', 'z']);
    const { client } = start('--samples', csv, '--rate', '200', '--serial', 'abc123');
    const hello = await client.hello();
    expect([...hello.bytes.subarray(1, 7)]).toEqual([0, 2, 8, 6, 2, PROTOCOL.slotNone]);
    await client.put(0, pack);
    expect(await client.selfTest(0)).toMatchObject({ passed: 64, total: 64 });
    await client.activate(0);
    await client.request(MESSAGE.streamStart, u32(0));
    const begin = new Fields((await client.request(MESSAGE.runStart, u32(0))).bytes.subarray(8)).u32();
    const runner = createRunner(model);
    const wanted = runner.frames + 2 * strideFrames(model.input);
    let samples = 0;
    for (const deadline = Date.now() + 10_000; samples < begin + wanted && Date.now() < deadline;) {
      await client.idle();
      samples = client.events
        .filter(({ type }) => type === MESSAGE.samples)
        .reduce((sum, { body }) => sum + new Fields(body.subarray(12)).u16(), 0);
    }
    await client.request(MESSAGE.runStop);
    await client.request(MESSAGE.streamStop);
    const frames: number[][] = [];
    for (const { type, body } of client.events) {
      if (type !== MESSAGE.samples) continue;
      const f = new Fields(body);
      expect(f.u32()).toBe(frames.length);
      f.u64();
      for (let count = f.u16(); count > 0; count--) {
        frames.push([0, 1, 2, 3, 4, 5].map((c) => Math.fround(f.i16() * (c < 3 ? ACC : GYR))));
      }
    }
    frames.forEach((frame, i) =>
      frame.forEach((value, c) => {
        const played = (rows[i % rows.length] as number[])[c] as number;
        expect(Math.abs(value - played)).toBeLessThan((c < 3 ? ACC : GYR) / 2 + 0.006);
      }),
    );
    const results = client.events.filter(({ type }) => type === MESSAGE.result).map(({ body }) => resultOf(body));
    expect(results.length).toBeGreaterThanOrEqual(3);
    for (const result of results) {
      const window = Float32Array.from(frames.slice(result.sequence + 1 - runner.frames, result.sequence + 1).flat());
      const expected = runner.classify(window);
      expect(result).toMatchObject({ scores: [...expected.scores], featureCrc: expected.featureCrc });
      expect(result.modelId).toBe(packId(pack));
    }
  }, 240_000);

  it('keeps the old model when it is killed in the middle of a deploy', async () => {
    const storage = joinPath(folder, 'flash.bin');
    const first = sixAxisModel(1, ['x', 'y', 'z']);
    const second = sixAxisModel(1000, ['a', 'b']);
    const before = start('--storage', storage);
    await before.client.put(0, first.pack);
    await before.client.activate(0);
    before.child.kill('SIGKILL');
    await before.ended;
    const image = readFileSync(storage);
    let old = 0;
    let fresh = 0;
    for (let cut = 0; ; cut++) {
      writeFileSync(storage, image);
      const board = start('--storage', storage, '--cut-power-after', String(cut));
      const whole = await board.client
        .put(1, second.pack)
        .then(() => board.client.activate(1))
        .then(
          () => true,
          () => false,
        );
      board.child.kill('SIGKILL');
      expect(await board.ended).toBe(whole ? null : 3);
      const again = start('--storage', storage);
      const active = (await again.client.hello()).bytes[6] as number;
      const { pack } = active === 0 ? first : second;
      expect(await again.client.read(active, pack.length)).toEqual(pack);
      again.child.kill('SIGKILL');
      await again.ended;
      if (active === 0) old++;
      else fresh++;
      if (whole) break;
    }
    console.log(`host board: ${old + fresh} runs, old model ${old}, new model ${fresh}, neither 0`);
    expect(old).toBeGreaterThan(10);
    expect(fresh).toBeGreaterThan(0);
  }, 240_000);

  it('sends and receives no faster than its baud rate', async () => {
    const { client } = start('--baud', '115200');
    await client.hello();
    const began = performance.now();
    const body = new Uint8Array(400).fill(7);
    await client.all(MESSAGE.ping, Array<Uint8Array>(8).fill(body));
    // 8 frames of about 410 bytes at 11520 bytes a second are 285 ms, of which 20 may have been saved up.
    expect(performance.now() - began).toBeGreaterThan(240);
  });

  it('ends with its link, and says what it does not like', async () => {
    const board = start();
    await board.client.hello();
    board.child.stdin?.end();
    expect(await board.ended).toBe(0);
    for (const args of [['--samples'], ['--samples', '/nonexistent'], ['--rate', '77'], ['--what', 'x']]) {
      expect(() => run(program, args)).toThrow(/mote-board: /);
    }
  });

  it('speaks on a pseudo terminal of its own', async () => {
    const link = joinPath(folder, 'tty');
    const board = start('--pty', link);
    for (let i = 0; i < 200 && !existsSync(link); i++) await new Promise((resolve) => setTimeout(resolve, 10));
    const file = openSync(link, 'r+');
    const terminal = new ReadStream(file);
    let said = Buffer.alloc(0);
    terminal.on('data', (bytes: Buffer) => (said = Buffer.concat([said, bytes])));
    const client = new MoteClient(async (bytes) => {
      if (bytes.length > 0) writeSync(file, bytes);
      await new Promise((resolve) => setTimeout(resolve, 2));
      const taken = Uint8Array.from(said);
      said = Buffer.alloc(0);
      return taken;
    });
    expect((await client.hello()).u8()).toBe(1);
    const every = Uint8Array.from({ length: 256 }, (_, i) => i);
    expect((await client.request(MESSAGE.ping, every)).bytes).toEqual(every);
    terminal.on('error', () => undefined);
    board.child.kill('SIGTERM');
    await board.ended;
    expect(existsSync(link)).toBe(false);
    terminal.destroy();
  });
});
