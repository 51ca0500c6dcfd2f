/** The Arduino library as the studio gives it: unzipped as the IDE does, and compiled with the real Arduino core. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { unzipSync } from 'fflate';
import { afterAll, describe, expect, test } from 'vitest';
import { arduinoLibrary } from '../../src/emit/bundles/arduino-library';
import { zipBundle } from '../../src/emit/bundles/bundle';
import { unpack } from '../conformance/bundle-builds';
import { ArduinoBuild, boardNamed, LIBRARY, whyNoCore } from './arduino-build';

const COMPILE_MS = 240_000;
const folder = mkdtempSync(join(tmpdir(), 'mote-library-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const zip = zipBundle(arduinoLibrary());

test('is one folder with library.properties at its root, and all of firmware/mote', () => {
  expect(Buffer.from(zip).equals(zipBundle(arduinoLibrary()))).toBe(true);
  const files = unzipSync(zip);
  const own = readdirSync(LIBRARY, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(LIBRARY, join(entry.parentPath, entry.name)));
  expect(Object.keys(files).sort()).toEqual([...own, 'LICENSE.txt'].map((path) => `Mote/${path}`).sort());
  for (const path of own)
    expect(Buffer.from(files[`Mote/${path}`] ?? []).equals(readFileSync(join(LIBRARY, path)))).toBe(true);
  const properties = Buffer.from(files['Mote/library.properties'] ?? []).toString();
  for (const field of [
    'name',
    'version',
    'author',
    'maintainer',
    'sentence',
    'paragraph',
    'category',
    'url',
    'architectures',
  ])
    expect(properties).toMatch(new RegExp(`^${field}=\\S`, 'm'));
  for (const [, header = ''] of properties.matchAll(/^includes=(.*)$/gm))
    expect(files).toHaveProperty([`Mote/src/${header}`]);
});

describe.skipIf(whyNoCore !== null)(`unzipped (${whyNoCore ?? 'arduino-core-avr'})`, () => {
  test(
    'every example compiles for a Mega, the largest links, and those for small boards link for an Uno',
    () => {
      const build = new ArduinoBuild(folder, unpack(zip, folder));
      const mega = boardNamed('Mega');
      for (const example of readdirSync(join(build.library, 'examples'))) build.sketchOf(mega, example);
      expect(build.size(build.link(mega, '7_Everything')).ramBytes).toBeLessThan(mega.ramBytes);
      const uno = boardNamed('Uno');
      for (const example of ['1_PrintNumbers', '5_ClassifyHeader']) {
        expect(build.size(build.link(uno, example)).flashBytes).toBeLessThan(uno.flashBytes);
      }
    },
    COMPILE_MS,
  );
});
