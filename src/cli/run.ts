/** `run MODEL.mote INPUTS...`: classifies recordings window by window, exactly as the board does. */
import { strideFrames } from '../dsp/block';
import { createRunner } from '../emit/run-model';
import { fitRecording } from '../worker/fit-recording';
import { cutFrames } from './cut-frames';
import { readRecordings } from './input-files';
import { printResult, say } from './output';
import { readPackFile } from './pack-file';
import { UsageError } from './usage-error';
import type { Verb } from './verb';

export const runVerb: Verb = {
  summary: 'Classify recordings with a model pack: int8 scores per window, as JSON lines.',
  synopsis: 'MODEL.mote INPUTS...',
  flags: {},
  async execute(args, signal) {
    const [path, ...inputs] = args.inputs;
    if (path === undefined || inputs.length === 0) {
      throw new UsageError('bad-arguments', 'run needs a model and at least one file or folder: MODEL.mote INPUTS...');
    }
    const { model } = await readPackFile(path);
    const runner = createRunner(model);
    const { rateHz } = model.input;
    for (const { file, loaded } of await readRecordings(inputs, signal)) {
      const { recording, samples } = fitRecording(loaded, model.input);
      const starts = cutFrames(recording.frames, runner.frames, strideFrames(model.input));
      if (starts.length === 0) say(`${file}: “${recording.name}” is shorter than a window, left out`);
      for (const start of starts) {
        signal.throwIfAborted();
        const from = start * runner.channels;
        const result = runner.classify(samples.subarray(from, from + runner.frames * runner.channels));
        printResult({
          file,
          recording: recording.name,
          start_ms: (start * 1000) / rateHz,
          scores: [...result.scores],
          label: model.labels[result.best],
          features_crc: result.featureCrc,
        });
      }
    }
  },
};
