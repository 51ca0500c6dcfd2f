/** `header MODEL.mote`: prints the model.h that the pack stands for. */
import { emitHeader } from '../emit/header';
import { TARGETS } from '../emit/target';
import { printText } from './output';
import { readPackFile } from './pack-file';
import { targetOf } from './target-flag';
import { UsageError } from './usage-error';
import type { Verb } from './verb';

export const headerVerb: Verb = {
  summary: 'Print the C header of a model pack.',
  synopsis: 'MODEL.mote [--target TARGET]',
  flags: { target: { takes: 'one', value: 'TARGET', help: `${TARGETS.join(', ')}; default generic` } },
  async execute(args) {
    const [path, ...rest] = args.inputs;
    if (path === undefined || rest.length > 0)
      throw new UsageError('bad-arguments', 'header needs one file: MODEL.mote');
    const { bytes } = await readPackFile(path);
    printText(emitHeader(bytes, targetOf(args)));
  },
};
