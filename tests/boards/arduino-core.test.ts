/** The Arduino library and its examples compile and fit, with Debian's real Arduino core, for the AVR boards. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { ArduinoBuild, boardNamed, BOARDS, LIBRARY, whyNoCore } from './arduino-build';

const COMPILE_MS = 300_000;
const EXAMPLES = readdirSync(join(LIBRARY, 'examples'));

/** Which sketches fit where: the protocol with models needs more flash than the small chips have. */
const FITS = [
  ['1_PrintNumbers', 'Uno'],
  ['1_PrintNumbers', 'Mega'],
  ['1_PrintNumbers', 'Leonardo'],
  ['2_RememberedBoard', 'Uno'],
  ['2_RememberedBoard', 'Mega'],
  ['2_RememberedBoard', 'Leonardo'],
  ['3_StreamBoard', 'Mega'],
  ['4_AnyImu', 'Mega'],
  ['5_ClassifyHeader', 'Uno'],
  ['5_ClassifyHeader', 'Mega'],
  ['5_ClassifyHeader', 'Leonardo'],
  ['6_KeepModels', 'Mega'],
  ['7_Everything', 'Mega'],
  ['8_WithoutGlue', 'Mega'],
] as const;
/** Sketches that refuse to compile for the small chips, and say why. */
const REFUSE = ['6_KeepModels', '7_Everything'];

const folder = mkdtempSync(join(tmpdir(), 'mote-arduino-'));
const build = new ArduinoBuild(folder);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe.skipIf(whyNoCore !== null)(`Arduino core (${whyNoCore ?? 'arduino-core-avr'})`, () => {
  test.each(BOARDS)(
    'the library compiles without a warning for $name',
    (board) => {
      expect(build.libraryOf(board).length).toBeGreaterThan(3);
    },
    COMPILE_MS,
  );

  test.each(BOARDS)(
    'every example compiles without a warning for $name, or says that the board is too small',
    (board) => {
      for (const sketch of EXAMPLES) {
        if (REFUSE.includes(sketch) && board.name !== 'Mega') {
          expect(() => build.sketchOf(board, sketch)).toThrow(/has not flash enough/);
        } else {
          build.sketchOf(board, sketch);
        }
      }
    },
    COMPILE_MS,
  );

  test('every example fits at least a Mega', () => {
    expect(FITS.filter(([, board]) => board === 'Mega').map(([sketch]) => sketch)).toEqual(EXAMPLES.sort());
  });

  test.each(FITS)(
    '%s fits %s',
    (sketch, name) => {
      const board = boardNamed(name);
      const size = build.size(build.link(board, sketch));
      console.info(`${sketch} on ${name}: ${size.flashBytes} B flash, ${size.ramBytes} B RAM`);
      expect(size.flashBytes).toBeLessThan(board.flashBytes);
      expect(size.ramBytes).toBeLessThan(board.ramBytes - 256);
    },
    COMPILE_MS,
  );
});
