/** `bundle MODEL.mote --format FORMAT --out DIR`, and the flag `--bundle` of the verbs that make models. */
import { join } from 'node:path';
import { BUNDLE_FORMATS, isBundleFormat, makeBundle, zipBundle, type BundleFormat } from '../emit/bundles/bundle';
import { TARGETS, type Target } from '../emit/target';
import type { Arguments, Flag } from './arguments';
import { printResult } from './output';
import { makeFolder, writeOutput } from './output-folder';
import { readPackFile } from './pack-file';
import { targetOf } from './target-flag';
import { UsageError } from './usage-error';
import type { Verb } from './verb';

export const bundleFlag: Flag = {
  takes: 'one',
  value: 'FORMAT',
  help: `also a project as a zip: ${BUNDLE_FORMATS.join(', ')}`,
};

/** The format given by a flag, or null. @throws UsageError `bad-arguments`. */
export function bundleFormatOf(args: Arguments, flag = 'bundle'): BundleFormat | null {
  const format = args.one(flag);
  if (format === undefined) return null;
  if (!isBundleFormat(format)) {
    throw new UsageError('bad-arguments', `unknown format "${format}"; known are ${BUNDLE_FORMATS.join(', ')}`);
  }
  return format;
}

/** The zip by its file name. */
export function bundleZip(pack: Uint8Array, format: BundleFormat, target?: Target): Record<string, Uint8Array> {
  const bundle = makeBundle(pack, format, target);
  return { [`${bundle.folder}.zip`]: zipBundle(bundle) };
}

export const bundleVerb: Verb = {
  summary: 'Make a project for a toolchain from a model pack, as a zip.',
  synopsis: 'MODEL.mote --format FORMAT --out DIR [--target TARGET]',
  flags: {
    format: { takes: 'one', value: 'FORMAT', help: BUNDLE_FORMATS.join(', ') },
    out: { takes: 'one', value: 'DIR', help: 'folder for the zip, made when missing' },
    target: { takes: 'one', value: 'TARGET', help: `${TARGETS.join(', ')}; default generic` },
  },
  async execute(args) {
    const [path, ...rest] = args.inputs;
    const format = bundleFormatOf(args, 'format');
    const out = args.one('out');
    if (path === undefined || rest.length > 0) {
      throw new UsageError('bad-arguments', 'bundle needs one file: MODEL.mote');
    }
    if (format === null || out === undefined) {
      throw new UsageError('bad-arguments', 'bundle needs --format FORMAT and --out DIR');
    }
    const { bytes } = await readPackFile(path);
    await makeFolder(out);
    for (const [name, zip] of Object.entries(bundleZip(bytes, format, targetOf(args)))) {
      await writeOutput(join(out, name), zip);
      printResult({ file: join(out, name), bytes: zip.length });
    }
  },
};
