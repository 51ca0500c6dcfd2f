/** `header MODEL.mote`: prints the model.h that the pack stands for. */
import { emitHeader } from '../emit/header';
import { printText } from './output';
import { readPackFile } from './pack-file';
import { UsageError } from './usage-error';
import type { Verb } from './verb';

export const headerVerb: Verb = {
  summary: 'Print the C header of a model pack.',
  synopsis: 'MODEL.mote',
  flags: {},
  async execute(args) {
    const [path, ...rest] = args.inputs;
    if (path === undefined || rest.length > 0)
      throw new UsageError('bad-arguments', 'header needs one file: MODEL.mote');
    const { bytes } = await readPackFile(path);
    printText(emitHeader(bytes));
  },
};
