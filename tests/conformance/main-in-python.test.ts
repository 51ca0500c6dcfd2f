/**
 * The generated `main.py` under MicroPython (WebAssembly), with stand-ins for the sensor, the clock and OpenMV's `ml`:
 * what it prints is a recording for the studio, and its classifications are the interpreter's bytes.
 */
import { loadMicroPython } from '@micropython/micropython-webassembly-pyscript/micropython.mjs';
import { describe, expect, it } from 'vitest';
import { createLinesDialect } from '../../src/board/lines-dialect';
import { windowFrames, strideFrames } from '../../src/dsp/block';
import { SWITCH_FOLDER } from '../../src/emit/micropython/switch-python';
import { isGeneratedMain } from '../../src/emit/micropython/main-python';
import { micropythonFiles } from '../../src/emit/micropython/micropython-bundle';
import { emitNetworkPython } from '../../src/emit/micropython/model-python';
import type { Model } from '../../src/emit/model';
import { writePack } from '../../src/emit/pack';
import { createRunner, createSmoother } from '../../src/emit/run-model';
import { createRandom, randomModel } from './random-model';

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

/** A model of three channels of acceleration in m/s2, as the micro:bit's sensor gives them. */
function accelerationModel(seed: number): Model {
  const model = randomModel(seed, { channels: 3, prefix: 'waves' });
  const channels = ['x', 'y', 'z'].map((name) => ({ name, unit: 'm/s2' }));
  return { ...model, input: { ...model.input, channels } };
}

/** Milli-g of three axes: whole numbers, as the sensor gives them. */
function milliG(seed: number, frames: number): number[][] {
  const random = createRandom(seed);
  return Array.from({ length: frames }, (_, i) =>
    [0, 1, 2].map((axis) => Math.round(900 * Math.sin(i / (3 + axis)) + 300 * (random() - 0.5))),
  );
}

interface Expected {
  readonly scores: number[][];
  readonly said: string[];
  readonly samples: number[][];
}

/** What main.py must print for these readings. */
function expectedOf(model: Model, readings: readonly number[][]): Expected {
  const samples = readings.map((values) => values.map((value) => Math.fround(0.00980665 * value)));
  const [frames, stride] = [windowFrames(model.input), strideFrames(model.input)];
  const runner = createRunner(model);
  const smoother = createSmoother(model);
  const scores: number[][] = [];
  const said: string[] = [];
  for (let start = 0; start + frames <= samples.length; start += stride) {
    const found = runner.classify(Float32Array.from(samples.slice(start, start + frames).flat())).scores;
    const label = smoother.decide(found);
    scores.push(Array.from(found));
    said.push(
      `> ${label < 0 ? 'uncertain' : (model.labels[label] ?? '')}, ${Math.floor((100 * (Math.max(...found) + 128)) / 256)} percent`,
    );
  }
  return { scores, said, samples };
}

/**
 * Runs main.py beside the files until the readings are used up; gives the lines that it printed. The clock is a
 * stand-in: it goes on by a millisecond whenever it is asked.
 */
async function runMain(
  files: Readonly<Record<string, Uint8Array | string>>,
  readings: readonly number[][],
  standIns = '',
): Promise<string[]> {
  const lines: string[] = [];
  const mp = await loadMicroPython({ heapsize: 4 << 20, stdout: (line: string) => lines.push(line) });
  for (const [path, content] of Object.entries(files)) {
    const [folder, name] = path.split('/');
    if (name !== undefined && !mp.FS.readdir('/').includes(folder ?? '')) mp.FS.mkdir(`/${folder ?? ''}`);
    mp.FS.writeFile(`/${path}`, content);
  }
  mp.runPython(`
import sys
class Done(Exception): pass
class Clock:
 now = 0
 def ticks_us(self):
  self.now += 1000
  return self.now
 def ticks_diff(self, a, b): return a - b
 def ticks_add(self, a, b): return a + b
sys.modules['time'] = Clock()
readings = iter(${JSON.stringify(readings)})
def reading():
 for values in readings: return tuple(values)
 raise Done
class Accelerometer:
 def get_values(self): return reading()
class Board: pass
${standIns}
try:
 import main
except Done:
 print('DONE')
except Exception as e:
 sys.print_exception(e)
`);
  return lines;
}

const MICROBIT = `
sys.modules['microbit'] = Board()
sys.modules['microbit'].accelerometer = Accelerometer()
`;
/** Every answer of the model as bytes, beside what main.py says of it. */
const SPY = `
import model
push = model.push
def spy(sample):
 scores = push(sample)
 if scores: print('BYTES', scores)
 return scores
model.push = spy
`;

function boardFiles(model: Model, ml = false): Record<string, Uint8Array> {
  const { model: files, main, sensor, extras } = micropythonFiles(writePack(model), { ml });
  return Object.fromEntries([...files, main, sensor, ...extras].map(({ path, bytes }) => [path, bytes]));
}

const bytesIn = (lines: readonly string[]): number[][] =>
  lines.filter((line) => line.startsWith('BYTES ')).map((line) => JSON.parse(line.slice(6)) as number[]);

describe('main.py', () => {
  it.each([2, 5, 9])(
    'streams what the studio records, and classifies to the interpreter’s bytes (model %i)',
    async (seed) => {
      const model = accelerationModel(seed);
      const readings = milliG(seed, windowFrames(model.input) + 4 * strideFrames(model.input) + 3);
      const expected = expectedOf(model, readings);
      const lines = await runMain(boardFiles(model), readings, MICROBIT + SPY);
      expect(lines.at(-1)).toBe('DONE');
      expect(bytesIn(lines)).toEqual(expected.scores);
      expect(lines.filter((line) => line.startsWith('>'))).toEqual(expected.said);
      expect(expected.scores.length).toBeGreaterThan(3);

      // As the wire brings it: names from the header, one reading per line, and the verdicts are no readings.
      const found: number[][] = [];
      const dialect = createLinesDialect({
        onChannels: () => undefined,
        onReadings: (batch) => batch.forEach(({ values }) => found.push(Array.from(values))),
      });
      const printed = lines.filter((line) => !/^(?:BYTES|DONE)/.test(line)).join('\r\n');
      // The first line of a link is taken as half a line; a board says its prompt before.
      dialect.push(utf8(`MPY: soft reboot\r\n${printed}\r\n`), 0);
      expect(dialect.channels?.map(({ name }) => name)).toEqual(['x', 'y', 'z']);
      expect(found).toEqual(expected.samples);
      expect(dialect.stats.malformed).toBe(0);
    },
  );

  it('finishes a switch that a power cut interrupted, then runs the new model', async () => {
    const model = accelerationModel(5);
    const files = boardFiles(model);
    const readings = milliG(1, windowFrames(model.input));
    const cut: Record<string, Uint8Array> = {};
    for (const [name, bytes] of Object.entries(files))
      cut[name === 'main.py' ? name : `${SWITCH_FOLDER}/${name}`] = bytes;
    const lines = await runMain({ ...cut, 'model.py': utf8('old') }, readings, MICROBIT);
    expect(lines.at(-1)).toBe('DONE');
    expect(lines.filter((line) => line.startsWith('>'))).toEqual(expectedOf(model, readings).said);
  });

  it('forgets the window when the sensor was not read for a while', async () => {
    const model = accelerationModel(5);
    const frames = windowFrames(model.input);
    const readings = milliG(3, 2 * frames - 1);
    const late = `
import model
push = model.push
count = 0
def slow(sample):
 global count
 count += 1
 if count == ${frames - 1}: sys.modules['time'].now += 60000000
 return push(sample)
model.push = slow
`;
    const lines = await runMain(boardFiles(model), readings, MICROBIT + late);
    const said = lines.filter((line) => line.startsWith('>'));
    expect(said).toEqual(expectedOf(model, readings.slice(frames - 1)).said);
    expect(said).toHaveLength(1);
  });

  it('takes any sensor through read_sensor.py, and without one says what to edit', async () => {
    const model = randomModel(6, { channels: 2, prefix: 'other' });
    const files = boardFiles(model);
    const silent = await runMain(files, []);
    expect(silent.join('\n')).toContain('NotImplementedError: Edit read_sensor.py: it must read your sensor.');
    const edited = 'import __main__\ndef read_sensor():\n return [0.25 * v for v in __main__.reading()]\n';
    const readings = milliG(2, windowFrames(model.input)).map((values) => values.slice(0, 2));
    const lines = await runMain({ ...files, 'read_sensor.py': edited }, readings, SPY);
    const window = Float32Array.from(readings.flat(), (value) => 0.25 * value);
    expect(bytesIn(lines)).toEqual([Array.from(createRunner(model).classify(window).scores)]);
  });

  it('is told from one that a person changed', () => {
    const main = boardFiles(accelerationModel(5))['main.py'] as Uint8Array;
    expect(isGeneratedMain(main)).toBe(true);
    const text = new TextDecoder().decode(main);
    expect(isGeneratedMain(utf8(text.replace('%d percent', '%d per cent')))).toBe(false);
    expect(isGeneratedMain(utf8('print(1)\n'))).toBe(false);
    expect(isGeneratedMain(new Uint8Array(0))).toBe(false);
  });
});

/**
 * OpenMV's `ml` after its documentation (firmware 5.0) and `py_ml.c`: a callable input fills the tensor; outputs are
 * float32, dequantized; labels come from the text file beside the model. `labels` None: older firmware.
 */
function openMv(model: Model, labels: string): string {
  const { graph } = model;
  const [input, output] = [graph.tensors[graph.input], graph.tensors[graph.output]];
  return `
import network
from array import array
class Real:
 def __init__(self, values): self.values = values
 def flatten(self): return self
 def tolist(self): return list(self.values)
class Model:
 def __init__(self, path):
  assert open(path, 'rb').read()[4:8] == b'TFL3'
  self.labels = ${labels}
 def predict(self, inputs):
  size = ${input?.shape.reduce((a, b) => a * b, 1) ?? 0}
  tensor = bytearray(size)
  inputs[0](tensor, (1, size), 'b')
  scores = network.invoke([v - 256 if v > 127 else v for v in tensor])
  print('BYTES', scores)
  return [Real(array('f', [(s - ${output?.zeroPoint ?? 0}) * ${output?.scale ?? 1} for s in scores]))]
sys.modules['ml'] = Board()
sys.modules['ml'].Model = Model
sys.modules['imu'] = Board()
sys.modules['imu'].acceleration_mg = reading
`;
}

describe('main.py for OpenMV, with a stand-in for its ml module', () => {
  it.each([
    { name: 'labels from model.txt', labels: "[line.rstrip('\\n') for line in open('model.txt')]", seed: 2 },
    { name: 'no labels in older firmware', labels: 'None', seed: 9 },
  ])('fills the tensor with the interpreter’s bytes and reads its scores back: $name', async ({ labels, seed }) => {
    const model = accelerationModel(seed);
    const readings = milliG(seed, windowFrames(model.input) + 3 * strideFrames(model.input));
    const expected = expectedOf(model, readings);
    const files = { ...boardFiles(model, true), 'network.py': emitNetworkPython(model.graph, 'stand-in') };
    const lines = await runMain(files, readings, openMv(model, labels));
    expect(lines.at(-1)).toBe('DONE');
    expect(bytesIn(lines)).toEqual(expected.scores);
    expect(lines.filter((line) => line.startsWith('>'))).toEqual(expected.said);
    expect(lines.filter((line) => /^-?\d/.test(line))).toHaveLength(readings.length);
  });
});
