/**
 * The walls of the house, as in docs/tour.md: who may import whom, and what the pure rooms must not touch.
 * `tsc -b` enforces the same imports by project references; this test names the rule that was broken.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const SRC = join(ROOT, 'src');

const MAY_IMPORT: Record<string, readonly string[]> = {
  signal: [],
  formats: ['signal'],
  dsp: ['signal'],
  graph: ['signal'],
  learn: ['signal', 'dsp', 'graph'],
  quantize: ['signal', 'graph'],
  emit: ['signal', 'dsp', 'graph', 'quantize'],
  board: ['signal', 'dsp', 'graph', 'quantize', 'emit'],
  store: ['signal'],
  worker: ['signal', 'formats', 'dsp', 'graph', 'learn', 'quantize', 'emit'],
  cli: ['signal', 'formats', 'dsp', 'graph', 'learn', 'quantize', 'emit', 'worker', 'board'],
  studio: [
    'signal',
    'formats',
    'dsp',
    'graph',
    'learn',
    'quantize',
    'emit',
    'board',
    'store',
    'worker',
    'service-worker-messages',
  ],
};
const PURE = ['signal', 'formats', 'dsp', 'graph', 'quantize', 'emit', 'learn'];
const BANNED_NAMES = /^(utils?|helpers?|common|misc|manager|.*-(utils?|helpers?|manager))\.(ts|svelte|svelte\.ts)$/;

function files(folder: string, pattern: RegExp): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    return statSync(path).isDirectory() ? files(path, pattern) : pattern.test(name) ? [path] : [];
  });
}

function room(path: string): string {
  return relative(SRC, path).split(sep)[0] ?? '';
}

function imports(path: string): string[] {
  const text = readFileSync(path, 'utf8');
  const found = text.matchAll(/(?:from\s+|import\s+|import\(\s*|new URL\(\s*)(['"])([^'"]+)\1/g);
  return [...found].map((match) => match[2] ?? '');
}

/** The text without comments, so that a word in a sentence is not taken for code. */
function code(path: string): string {
  return readFileSync(path, 'utf8')
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/(^|[^:'"`])\/\/.*$/gm, '$1');
}

const sources = files(SRC, /\.(ts|svelte)$/).filter((path) => !path.endsWith('.test.ts') && !path.endsWith('.d.ts'));
const inRooms = sources.filter((path) => dirname(path) !== SRC);

describe('rooms', () => {
  test('every folder of src is a room with walls', () => {
    const folders = readdirSync(SRC).filter((name) => statSync(join(SRC, name)).isDirectory());
    expect(folders.sort()).toEqual(Object.keys(MAY_IMPORT).sort());
  });

  test('imports only go where the plan allows', () => {
    const broken = inRooms.flatMap((path) =>
      imports(path)
        .filter((target) => target.startsWith('.') && !target.includes('node_modules/'))
        .map((target) => room(resolve(dirname(path), target.split('?')[0] ?? '')))
        .filter((target) => target !== room(path) && target !== '..' && !MAY_IMPORT[room(path)]?.includes(target))
        .map((target) => `${relative(ROOT, path)} imports ${target}`),
    );
    expect(broken).toEqual([]);
  });

  test('only learn imports tfjs, only store imports idb, only studio imports svelte', () => {
    const owner = (target: string): string | null => {
      if (target.startsWith('@tensorflow/')) return 'learn';
      if (target === 'idb') return 'store';
      if (/^(svelte|bits-ui|@lucide|chart\.js|workbox-window)/.test(target)) return 'studio';
      if (target === 'web-serial-polyfill') return 'board';
      if (target.startsWith('node:')) return 'cli';
      return null;
    };
    const broken = inRooms.flatMap((path) =>
      imports(path)
        .filter((target) => owner(target) !== null && owner(target) !== room(path))
        .map((target) => `${relative(ROOT, path)} imports ${target}`),
    );
    expect(broken).toEqual([]);
  });

  test('what only tests need lives in tests/fixtures', () => {
    const ENTRIES = ['src/cli/main.ts', 'src/service-worker.ts', 'src/studio/main.ts'];
    const imported = new Set(
      sources.flatMap((path) =>
        imports(path)
          .filter((target) => target.startsWith('.'))
          .map((target) => resolve(dirname(path), target.split('?')[0] ?? ''))
          .flatMap((target) => [target, `${target}.ts`]),
      ),
    );
    const unused = sources
      .filter((path) => !imported.has(path))
      .map((path) => relative(ROOT, path).split(sep).join('/'));
    expect(unused.sort()).toEqual(ENTRIES);
  });

  test('pure rooms take clock, random and the platform from outside', () => {
    const forbidden =
      /\b(Math\.random|Date\.now|new Date\(\)|performance\.now|document\.|navigator\.|indexedDB|localStorage|fetch\(|XMLHttpRequest|new Function|eval\()/;
    const broken = inRooms
      .filter((path) => PURE.includes(room(path)))
      .filter((path) => forbidden.test(code(path)))
      .map((path) => `${relative(ROOT, path)}: ${forbidden.exec(code(path))?.[0] ?? ''}`);
    expect(broken).toEqual([]);
  });

  test('nothing asks the network', () => {
    const broken = sources
      .filter((path) => /https?:\/\/(?!localhost|www\.w3\.org|www\.apple\.com\/DTDs\/)/.test(code(path)))
      .map((path) => relative(ROOT, path));
    expect(broken).toEqual([]);
  });

  test('a file name says its one job', () => {
    expect(inRooms.map((path) => basename(path)).filter((name) => BANNED_NAMES.test(name))).toEqual([]);
  });
});

/** Headers that come with the compiler of one kind of processor: instructions for flash on AVR, and vectors. */
const COMPILER_HEADERS: Readonly<Record<string, readonly string[]>> = {
  'mote_flash.h': ['avr/pgmspace.h'],
  'mote_conv_plain.h': ['wasm_simd128.h', 'arm_mve.h'],
};

/** The glue that sketches include, in C++: what it may need of Arduino's cores. Nothing of the runtime includes it. */
const ARDUINO_GLUE: Readonly<Record<string, readonly string[]>> = {
  'MoteBlockDevice.h': [],
  'MoteEeprom.h': ['avr/eeprom.h', 'avr/io.h'],
  'MoteFile.h': [],
  // One of them, by the core that compiles it.
  'MoteFlash.h': [
    'Arduino.h',
    'FlashIAP.h',
    'esp_idf_version.h',
    'esp_partition.h',
    'esp_spi_flash.h',
    'hardware/flash.h',
  ],
  'MoteMirror.h': [],
  'MoteRam.h': [],
  'MoteStorage.h': ['string.h'],
  'MoteStream.h': ['Arduino.h', 'string.h'],
  'MoteUsbSerialNumber.h': ['Arduino.h', 'PluggableUSB.h', 'avr/boot.h'],
};

describe('the C runtime', () => {
  const runtime = files(join(ROOT, 'firmware', 'mote', 'src'), /\.(c|h)$/);

  test('allocates nothing and depends on nothing', () => {
    expect(runtime.length).toBeGreaterThan(5);
    const allowed = new Set(['stdint.h', 'stddef.h', 'stdbool.h', 'limits.h']);
    const broken = runtime.flatMap((path) => {
      const text = code(path);
      const includes = [...text.matchAll(/#\s*include\s*<([^>]+)>/g)].map((match) => match[1] ?? '');
      const also = COMPILER_HEADERS[basename(path)] ?? ARDUINO_GLUE[basename(path)] ?? [];
      return [
        ...includes
          .filter((name) => !allowed.has(name) && !also.includes(name))
          .map((name) => `${basename(path)} includes <${name}>`),
        ...(/\b(malloc|calloc|realloc|free|alloca)\s*\(/.test(text) ? [`${basename(path)} allocates`] : []),
      ];
    });
    expect(broken).toEqual([]);
  });

  test('does not know the glue for Arduino', () => {
    const own = runtime.filter((path) => !(basename(path) in ARDUINO_GLUE));
    expect(own.length).toBe(runtime.length - Object.keys(ARDUINO_GLUE).length);
    expect(own.filter((path) => /#\s*include\s*"Mote/.test(code(path)))).toEqual([]);
  });
});
