/** A finished model on recordings, window by window, with the very bytes that a board would give. */
import { strideFrames, windowFrames, type InputSpec } from '../dsp/block';
import { readPack } from '../emit/pack';
import { createRunner, type ModelRunner } from '../emit/run-model';
import { accuracy, confusionMatrix } from '../learn/metrics';
import { LearnError, type ConfusionMatrix } from '../learn/pipeline';
import type { LoadedRecording } from '../signal/recording';
import { countWindows, cutWindows, readWindow } from '../signal/window';
import type { JobOptions } from './feature-job';
import { fitRecording } from './fit-recording';
import { Breather } from './pause';

export interface EvaluateInputs {
  readonly pack: Uint8Array;
  readonly recordings: readonly LoadedRecording[];
}

export interface EvaluatedWindow {
  /** Where the window starts in its recording. */
  readonly startMs: number;
  /** True label, or null when the recording has none. */
  readonly label: string | null;
  /** Index of the highest score. */
  readonly best: number;
  /** One int8 score per label of the model; probability = (score + 128) / 256. */
  readonly scores: Int8Array;
}

export interface EvaluatedRecording {
  readonly recordingId: string;
  readonly windows: readonly EvaluatedWindow[];
  /** Why the model cannot hear this recording, for people; null when it can. */
  readonly problem: string | null;
}

export interface Evaluation {
  readonly labels: readonly string[];
  readonly recordings: readonly EvaluatedRecording[];
  /** Over the windows whose true label the model knows. */
  readonly confusion: ConfusionMatrix;
  readonly accuracy: number | null;
  /** Windows whose true label the model does not know. */
  readonly unknownLabel: number;
}

/** Throws EmitError when the pack is not valid, LearnError `cancelled`. */
export async function evaluate({ pack, recordings }: EvaluateInputs, { signal, now }: JobOptions): Promise<Evaluation> {
  const model = readPack(pack);
  const runner = createRunner(model);
  const breather = new Breather(now, () => {
    if (signal.aborted) throw new LearnError('cancelled', 'The test was cancelled.', { cause: signal.reason });
  });
  const evaluated: EvaluatedRecording[] = [];
  for (const loaded of recordings) {
    evaluated.push(await evaluateRecording(loaded, model.input, runner, breather));
  }
  const truth: number[] = [];
  const predicted: number[] = [];
  let unknownLabel = 0;
  for (const { label, best } of evaluated.flatMap(({ windows }) => windows)) {
    if (label === null) continue;
    const index = model.labels.indexOf(label);
    if (index < 0) {
      unknownLabel++;
    } else {
      truth.push(index);
      predicted.push(best);
    }
  }
  const confusion = confusionMatrix(truth, predicted, model.labels.length);
  return { labels: model.labels, recordings: evaluated, confusion, accuracy: accuracy(confusion), unknownLabel };
}

async function evaluateRecording(
  loaded: LoadedRecording,
  input: InputSpec,
  runner: ModelRunner,
  breather: Breather,
): Promise<EvaluatedRecording> {
  const recordingId = loaded.recording.id;
  let fitted: LoadedRecording;
  try {
    fitted = fitRecording(loaded, input);
  } catch (error) {
    return { recordingId, windows: [], problem: error instanceof Error ? error.message : String(error) };
  }
  const { recording, samples } = fitted;
  const options = { frames: windowFrames(input), stride: strideFrames(input) };
  const labelled = recording.label !== null || recording.segments.length > 0;
  const found = labelled
    ? cutWindows(recording, options).windows
    : Array.from({ length: countWindows(recording.frames, options) }, (_, i) => ({
        start: i * options.stride,
        label: null,
      }));
  const windows: EvaluatedWindow[] = [];
  for (const { start, label } of found) {
    const { best, scores } = runner.classify(readWindow(samples, input.channels.length, start, options.frames));
    windows.push({ startMs: (start * 1000) / input.rateHz, label, best, scores: scores.slice() });
    await breather.breathe();
  }
  const problem = windows.length > 0 ? null : `Too short: the model listens to ${input.windowMs} ms at a time.`;
  return { recordingId, windows, problem };
}
