/** `library --out DIR`: the Arduino library without a model, as a zip. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { arduinoLibrary } from '../emit/bundles/arduino-library';
import { zipBundle } from '../emit/bundles/bundle';
import { printResult } from './output';
import { UsageError } from './usage-error';
import type { Verb } from './verb';

export const libraryVerb: Verb = {
  summary: 'Write the Arduino library for boards that speak the protocol, as a zip.',
  synopsis: '--out DIR',
  flags: { out: { takes: 'one', value: 'DIR', help: 'folder for the zip, made when missing' } },
  async execute(args) {
    const out = args.one('out');
    if (out === undefined || args.inputs.length > 0) throw new UsageError('bad-arguments', 'library needs --out DIR');
    const bundle = arduinoLibrary();
    const zip = zipBundle(bundle);
    const file = join(out, `${bundle.folder}.zip`);
    await mkdir(out, { recursive: true });
    await writeFile(file, zip);
    printResult({ file, bytes: zip.length });
  },
};
