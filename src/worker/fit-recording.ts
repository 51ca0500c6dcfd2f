/** Makes a recording fit what a model listens to: the channels by name, in the model's order, at the model's rate. */
import type { InputSpec } from '../dsp/block';
import { LearnError } from '../learn/pipeline';
import type { LoadedRecording } from '../signal/recording';
import { resampleRecording } from '../signal/resample';

/** Rates nearer than this are the same: clocks of boards and sensors are no better. */
const SAME_RATE = 0.02;

/**
 * The recording as the model would hear it. Throws LearnError `channel-mismatch` when a channel is missing or has
 * another unit, `rate-mismatch` when the recording has no usable rate.
 */
export function fitRecording(loaded: LoadedRecording, input: InputSpec): LoadedRecording {
  const selected = selectChannels(loaded, input);
  const { rateHz, name } = selected.recording;
  if (!(rateHz > 0) || !Number.isFinite(rateHz)) {
    throw new LearnError('rate-mismatch', `“${name}” has no sampling rate. Set it on the Data page.`);
  }
  if (Math.abs(rateHz - input.rateHz) <= SAME_RATE * input.rateHz) return selected;
  return resampleRecording(selected, input.rateHz);
}

function selectChannels(loaded: LoadedRecording, input: InputSpec): LoadedRecording {
  const { recording, samples } = loaded;
  const wanted = input.channels;
  const from = wanted.map((channel) => {
    const index = recording.channels.findIndex(({ name }) => name === channel.name);
    const found = recording.channels[index];
    if (!found) {
      throw new LearnError(
        'channel-mismatch',
        `“${recording.name}” has no channel “${channel.name}” (it has ${listNames(recording.channels)}). ` +
          'Leave it out or choose other channels for the model.',
      );
    }
    if (found.unit !== '' && channel.unit !== '' && found.unit !== channel.unit) {
      throw new LearnError(
        'channel-mismatch',
        `“${recording.name}” measures “${channel.name}” in ${found.unit}, the model in ${channel.unit}. ` +
          'Recordings in different units cannot be mixed.',
      );
    }
    return index;
  });
  const width = recording.channels.length;
  if (samples.length !== recording.frames * width) {
    throw new LearnError(
      'channel-mismatch',
      `“${recording.name}” is damaged: it says ${recording.frames} frames of ${width} channels but holds ` +
        `${samples.length} values.`,
    );
  }
  if (from.length === width && from.every((index, i) => index === i)) return loaded;
  const selected = new Float32Array(recording.frames * from.length);
  for (let frame = 0, at = 0; frame < recording.frames; frame++) {
    for (const index of from) selected[at++] = samples[frame * width + index] as number;
  }
  return { recording: { ...recording, channels: [...wanted] }, samples: selected };
}

function listNames(channels: readonly { readonly name: string }[]): string {
  return channels.length === 0 ? 'none' : channels.map(({ name }) => `“${name}”`).join(', ');
}
