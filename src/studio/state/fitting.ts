/** Which recordings a model can listen to, told from what is known of them (samples are fitted by `fitRecording`). */
import { strideFrames, windowFrames, type InputSpec } from '../../dsp/block';
import type { Recording } from '../../signal/recording';
import { cutWindows } from '../../signal/window';

/** True when the recording has all channels of the input, in the same units. */
export function canFit(recording: Recording, input: InputSpec): boolean {
  return (
    recording.rateHz > 0 &&
    input.channels.every((wanted) =>
      recording.channels.some(
        ({ name, unit }) => name === wanted.name && (unit === '' || wanted.unit === '' || unit === wanted.unit),
      ),
    )
  );
}

/** Labelled windows that the recording gives; an estimate where it must be resampled first. */
export function windowCount(recording: Recording, input: InputSpec): number {
  const ratio = input.rateHz / recording.rateHz;
  const scale = (frame: number) => Math.round(frame * ratio);
  const resampled: Recording = {
    ...recording,
    frames: scale(recording.frames),
    segments: recording.segments.map(({ label, start, end }) => ({ label, start: scale(start), end: scale(end) })),
  };
  return cutWindows(resampled, { frames: windowFrames(input), stride: strideFrames(input) }).windows.length;
}
