/** The Arduino library as a user gets it: unzipped, its sketch compiled and run against a stand-in for the core. */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { unzipSync } from 'fflate';
import { afterAll, expect, it } from 'vitest';
import { strideFrames, windowFrames } from '../../src/dsp/block';
import { arduinoLibrary, libraryName, zipBundle } from '../../src/emit/arduino-bundle';
import { emitHeader } from '../../src/emit/header';
import { writePack } from '../../src/emit/pack';
import { HERE, Workshop } from './c-compiler';
import { randomModel } from './random-model';

const workshop = new Workshop();
afterAll(() => workshop.close());

const model = randomModel(31, { prefix: 'magic_wand', labels: ['idle', 'wave\nred=1', 'circle "é"'] });
const pack = writePack(model);

it('names the library after the model', () => {
  expect(libraryName('magic_wand')).toBe('MagicWandModel');
  expect(libraryName('gesture')).toBe('GestureModel');
});

it('gives the same zip for the same pack, one line per property', () => {
  const files = arduinoLibrary(pack);
  expect(Buffer.from(zipBundle(files)).equals(zipBundle(arduinoLibrary(pack)))).toBe(true);
  const properties = Buffer.from(
    files.find((file) => file.path.endsWith('library.properties'))?.bytes ?? [],
  ).toString();
  const lines = properties.trimEnd().split('\n');
  expect(lines.every((text) => /^[a-z]+=[^=]*$/.test(text))).toBe(true);
  expect(lines).toContain('name=MagicWandModel');
  expect(lines).toContain('includes=magic_wand_model.h');
});

it('has a sketch that compiles and runs: self-test passes, every full window is printed', () => {
  const files = unzipSync(zipBundle(arduinoLibrary(pack)));
  for (const [name, bytes] of Object.entries(files)) {
    const target = path.join(workshop.folder, name);
    mkdirSync(path.dirname(target), { recursive: true });
    writeFileSync(target, bytes);
  }
  const root = path.join(workshop.folder, 'MagicWandModel');
  expect(Buffer.from(files['MagicWandModel/src/model.h'] ?? []).toString()).toBe(emitHeader(pack));

  const sketch = path.join(root, 'examples/MagicWandModel/MagicWandModel.ino');
  const windows = 3;
  const samples = windowFrames(model.input) + (windows - 1) * strideFrames(model.input);
  // The clock of the stand-in advances by 100 us per look at it, once per loop.
  const loops = Math.ceil((samples * 1e6) / model.input.rateHz / 100) + 1;
  const main = workshop.write(
    'main.cpp',
    `#include "Arduino.h"\n#include "${sketch}"\nint main() {\n  setup();\n` +
      `  for (long i = 0; i < ${loops}L; i++) loop();\n  return 0;\n}\n`,
  );
  for (const standard of ['gnu++11', 'gnu++17']) {
    const program = workshop.compile(
      { name: standard, command: 'g++', flags: [`-std=${standard}`, '-O2', '-Wall', '-Wextra', '-Werror'] },
      [main],
      ['-I', path.join(HERE, 'arduino-stand-in'), '-I', path.join(root, 'src')],
    );
    const output = workshop.run(program).toString().split('\n');
    expect(output[0]).toBe('Self-test: 64 of 64 windows identical');
    expect(output.filter((text) => text.includes('(this window: '))).toHaveLength(windows);
  }
});
