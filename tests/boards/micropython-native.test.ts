/**
 * `model.py` as machine code: MicroPython's own compiler (viper) for Cortex-M0, Cortex-M3 and RISC-V, on emulated chips,
 * with the 32-bit floats of boards. The bytes must be the interpreter's, features included. And littlefs, power cut.
 */
import { afterEach, describe, expect, it } from 'vitest';
import { openMicroPythonFiles } from '../../src/board/micropython-files';
import { uploadFiles } from '../../src/board/micropython-upload';
import { emitModelPython, emitNetworkPython, testFile } from '../../src/emit/micropython/model-python';
import { STAGE_FOLDER, SWITCH_FOLDER, SWITCH_PYTHON } from '../../src/emit/micropython/switch-python';
import { createInt8Interpreter } from '../../src/quantize/interpreter';
import { Random } from '../../src/signal/random';
import { createRandom, randomModel } from '../conformance/random-model';
import { randomOpGraph, type OpGroup } from '../conformance/random-op-graph';
import { CHIPS, LITTLEFS, missingFor, startChip, type Chip } from './micropython-qemu';

const GROUPS: readonly OpGroup[] = ['fullyConnected', 'conv2d', 'depthwiseConv2d', 'pool', 'other'];
const GRAPHS = 4;
const WAIT_MS = 120_000;

const undo: (() => void)[] = [];
afterEach(() => undo.splice(0).forEach((one) => one()));

function chipRepl(chip: Chip) {
  const { repl, stop } = startChip(chip);
  undo.push(stop);
  return repl;
}

describe.each(CHIPS.map((chip) => ({ chip, missing: missingFor(chip) })))(
  'model.py as machine code on $chip',
  ({ chip, missing }) => {
    if (missing !== null) console.log(`MicroPython on ${chip} is not tested: ${missing}`);

    it.skipIf(missing !== null)(
      'computes the bytes of single operations',
      async () => {
        const repl = chipRepl(chip);
        const random = new Random(31);
        const compiled: Record<string, number> = {};
        for (const group of GROUPS) {
          for (let seed = 0; seed < GRAPHS; seed++) {
            const graph = randomOpGraph(group, random);
            const interpreter = createInt8Interpreter(graph);
            const dice = createRandom(seed);
            const input = Int8Array.from({ length: interpreter.inputLength }, () => Math.floor(dice() * 256) - 128);
            const answer = Array.from(interpreter.run(input));
            const program =
              `${emitNetworkPython(graph, group)}\nimport gc, json\n` +
              `print(json.dumps([networktest(), invoke(${JSON.stringify(Array.from(input))}), FAST]))\ngc.collect()`;
            const said: unknown = JSON.parse(await repl.exec(program, { timeoutMs: WAIT_MS }));
            const [proved, scores, fast] = said as [boolean, number[], boolean];
            expect(proved, `${group} ${seed}`).toBe(true);
            expect(scores, `${group} ${seed}`).toEqual(answer);
            if (fast) compiled[group] = (compiled[group] ?? 0) + 1;
          }
        }
        // Groups whose inner loops are viper: all of them really were compiled.
        expect(compiled).toMatchObject({
          fullyConnected: GRAPHS,
          conv2d: GRAPHS,
          depthwiseConv2d: GRAPHS,
          pool: GRAPHS,
        });
      },
      300_000,
    );

    it.skipIf(missing !== null)(
      'computes features and scores of whole models exactly, with 32-bit floats',
      async () => {
        const repl = chipRepl(chip);
        expect(await repl.exec('print(16777216.0 + 1.0 == 16777216.0)')).toBe('True\r\n');
        for (const seed of [2, 4]) {
          const model = randomModel(seed);
          const known = Buffer.from(testFile(model, 7)).toString('base64');
          const program =
            `from binascii import a2b_base64\nimport io, gc\n_known = a2b_base64(b'${known}')\n` +
            `def open(name, mode): return io.BytesIO(_known)\n` +
            `${emitModelPython(model, 7, [])}\nprint(networktest(), selftest(), FAST, EXACT)\ngc.collect()`;
          expect(await repl.exec(program, { timeoutMs: WAIT_MS }), `model ${seed}`).toBe('True 0 True True\r\n');
        }
      },
      300_000,
    );
  },
);

describe.each(CHIPS.map((chip) => ({ chip, missing: missingFor(chip) })))('files on $chip', ({ chip, missing }) => {
  it.skipIf(missing !== null)(
    'are written and read back equal over the serial port, and the model among them gives the interpreter’s bytes',
    async () => {
      const repl = chipRepl(chip);
      await repl.exec(LITTLEFS);
      const files = await openMicroPythonFiles(repl);
      expect(repl.paste).toBe(true);
      const random = new Random(5);
      const noise = Uint8Array.from({ length: 20_000 }, () => Math.floor(random.next() * 256));
      await files.write('noise.bin', noise);
      expect(await files.read('noise.bin')).toEqual(noise);
      expect(await files.list()).toEqual([{ name: 'noise.bin', bytes: noise.length }]);
      await repl.exec("import os\nos.remove('noise.bin')");

      const model = randomModel(4);
      const source = new TextEncoder().encode(emitModelPython(model, 7, []));
      const known = testFile(model, 7);
      await files.write('model.py', source);
      await files.write('model_test.bin', known);
      expect(await files.read('model.py')).toEqual(source);
      expect(await files.read('model_test.bin')).toEqual(known);
      const said = await repl.exec('import model\nprint(model.networktest(), model.selftest())', {
        timeoutMs: WAIT_MS,
      });
      expect(said).toBe('True 0\r\n');
    },
    300_000,
  );
});

const m3 = missingFor('cortex-m3');

describe.skipIf(m3 !== null)('an upload to littlefs', () => {
  const file = (name: string, text: string) => ({ name, content: new TextEncoder().encode(text) });

  it('goes over the real raw paste and is switched in one step', async () => {
    const repl = chipRepl('cortex-m3');
    await repl.exec(LITTLEFS);
    const files = await openMicroPythonFiles(repl);
    expect(repl.paste).toBe(true);
    expect(files.port).toMatchObject({ folders: true, home: '/', base64: true });
    expect(await files.freeSpace()).toMatchObject({ block: 512 });
    await files.write('model.py', new TextEncoder().encode("VERSION = 'old'\n"));
    // Restarting the interpreter would lose the disk in its memory.
    const access = { files, run: repl.exec.bind(repl), clear: () => Promise.resolve() };
    const large = { name: 'model.h', content: new Uint8Array(200_000) };
    const report = await uploadFiles(
      access,
      {
        required: [file('model.py', "VERSION = 'new'\n"), file('model_test.bin', 'x'.repeat(3000))],
        main: { content: new TextEncoder().encode('print(1)\n'), replace: false, isOurs: () => false },
        absent: [],
        extras: [large],
      },
      {
        prove: async () => (await repl.exec('import model\nprint(model.VERSION)')) === 'new\r\n',
      },
    );
    expect(report.files.map(({ name, fate }) => `${name} ${fate}`)).toEqual([
      'model.py written',
      'model_test.bin written',
      'main.py written',
      'model.h left-out',
    ]);
    expect((await files.list()).map(({ name, bytes }) => `${name} ${bytes}`).sort()).toEqual([
      'main.py 9',
      'model.py 16',
      'model_test.bin 3000',
    ]);
  }, 120_000);

  it('is old or new, whole, after a power cut at every block that the switch writes or erases', async () => {
    const repl = chipRepl('cortex-m3');
    await repl.exec(LITTLEFS);
    const indent = (lines: readonly string[], by: string): string => lines.map((line) => by + line).join('\n');
    const program = `
import gc
names = ('main.py', 'model.h', 'model.py', 'model.tflite', 'model_test.bin')
def fill(folder, text):
 for n in names:
  f = open(folder + n, 'w')
  f.write(text + n * 30)
  f.close()
def read(n):
 f = open(n)
 t = f.read()
 f.close()
 return t
def switch():
${indent(SWITCH_PYTHON, ' ')}
fill('', 'old')
os.mkdir('${STAGE_FOLDER}')
fill('${STAGE_FOLDER}/', 'new')
before = bytes(disk.data)
counts = {'cuts': 0, 'old': 0, 'new': 0, 'mixed': 0, 'finished': 0}
cut = 0
while True:
 os.umount('/')
 disk.data[:] = before
 disk.left = None
 os.mount(disk, '/')
 disk.left = cut
 try:
  os.rename('${STAGE_FOLDER}', '${SWITCH_FOLDER}')
  switch()
  done = True
 except OSError:
  done = False
 os.umount('/')
 disk.left = None
 os.mount(disk, '/')
 if '${SWITCH_FOLDER}' in os.listdir():
  switch()
  counts['finished'] += 1
 found = [read(n) == 'old' + n * 30 for n in names]
 fresh = [read(n) == 'new' + n * 30 for n in names]
 is_new = all(fresh) and sorted(os.listdir()) == list(names)
 counts['old' if all(found) else 'new' if is_new else 'mixed'] += 1
 if done: break
 counts['cuts'] += 1
 cut += 1
 gc.collect()
import json
print(json.dumps(counts))
`;
    const counts = JSON.parse(await repl.exec(program, { timeoutMs: WAIT_MS })) as Record<string, number>;
    console.log('littlefs, power cut at each block written or erased by the switch:', JSON.stringify(counts));
    expect(counts['mixed']).toBe(0);
    expect(counts['cuts']).toBeGreaterThan(10);
    expect(counts['old']).toBeGreaterThan(0);
    expect(counts['finished']).toBeGreaterThan(5);
    expect((counts['old'] ?? 0) + (counts['new'] ?? 0)).toBe((counts['cuts'] ?? 0) + 1);
  }, 240_000);
});
