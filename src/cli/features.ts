/** `features FILE --block KIND`: what a processing block makes of recordings, one JSON line per window. */
import type { InputSpec } from '../dsp/block';
import { windowFrames, strideFrames } from '../dsp/block';
import { createExtractor } from '../dsp/compile';
import { cutFrames } from './cut-frames';
import { numberOf } from './arguments';
import { parseBlock } from './block-parameters';
import { readRecordings } from './input-files';
import { printResult, say } from './output';
import { MAX_MILLISECONDS } from './train';
import { UsageError } from './usage-error';
import type { Verb } from './verb';

export const featuresVerb: Verb = {
  summary: 'Print the features that a processing block computes, as JSON lines.',
  synopsis: 'FILE --block KIND [--params JSON] [--window MS] [--stride MS]',
  flags: {
    block: { takes: 'one', value: 'KIND', help: 'raw, flatten or spectral' },
    params: { takes: 'one', value: 'JSON', help: 'parameters that differ from the defaults, {"fftLength": 64}' },
    window: { takes: 'one', value: 'MS', help: 'window length (default: each recording as one window)' },
    stride: { takes: 'one', value: 'MS', help: 'from one window to the next (default: the window)' },
  },
  async execute(args, signal) {
    if (args.inputs.length === 0) throw new UsageError('bad-arguments', 'features needs a file');
    const kind = args.one('block');
    if (kind === undefined) throw new UsageError('bad-arguments', 'features needs --block raw, flatten or spectral');
    const window = numberOf(args, 'window', { minimum: 0.01, maximum: MAX_MILLISECONDS });
    const stride = numberOf(args, 'stride', { minimum: 0.01, maximum: MAX_MILLISECONDS });
    if (stride !== undefined && window === undefined) {
      throw new UsageError('bad-arguments', '--stride needs --window as well');
    }
    const build = parseBlock(kind, args.one('params'));
    for (const { file, loaded } of await readRecordings(args.inputs, signal)) {
      const { recording, samples } = loaded;
      const whole = (recording.frames * 1000) / recording.rateHz;
      const input: InputSpec = {
        channels: recording.channels,
        rateHz: recording.rateHz,
        windowMs: window ?? whole,
        strideMs: stride ?? window ?? whole,
      };
      const extractor = createExtractor([build(input)], input);
      const starts = cutFrames(recording.frames, windowFrames(input), strideFrames(input));
      if (starts.length === 0) say(`${file}: “${recording.name}” is shorter than a window, left out`);
      for (const start of starts) {
        const width = recording.channels.length;
        const from = start * width;
        const features = extractor.run(samples.subarray(from, from + extractor.frames * width));
        printResult({
          file,
          recording: recording.name,
          start_ms: (start * 1000) / recording.rateHz,
          names: extractor.featureNames,
          features: [...features],
        });
      }
    }
  },
};
