/** The identity of a dataset: with a pipeline and a seed it determines a model, byte for byte. */
import type { LoadedRecording, Recording } from './recording';
import { Sha256, toHex } from './sha256';

/**
 * SHA-256 (hex) over everything of the recordings that training reads: id (it decides the split), session, split,
 * channels, rate, label, segments and samples (little-endian float32). Names, dates, sources and the order of the
 * recordings do not matter.
 */
export function datasetHash(recordings: readonly LoadedRecording[]): string {
  const each = recordings.map(recordingHash).sort();
  return toHex(new Sha256().update(new TextEncoder().encode(each.join('\n'))).digest());
}

function recordingHash({ recording, samples }: LoadedRecording): string {
  return toHex(
    new Sha256()
      .update(new TextEncoder().encode(`${JSON.stringify(whatCounts(recording))}\n`))
      .update(littleEndianBytes(samples))
      .digest(),
  );
}

/** An array, so that the order of properties cannot matter. */
function whatCounts({ id, sessionId, split, channels, rateHz, frames, label, segments }: Recording): unknown {
  return [
    id,
    sessionId,
    split,
    channels.map(({ name, unit }) => [name, unit]),
    rateHz,
    frames,
    label,
    segments.map((segment) => [segment.label, segment.start, segment.end]),
  ];
}

/** SHA-256 (hex) over the samples and their layout alone: equal for two files that hold the same measurement. */
export function contentHash(channels: number, rateHz: number, samples: Float32Array): string {
  return toHex(
    new Sha256()
      .update(new TextEncoder().encode(`${JSON.stringify([channels, rateHz])}\n`))
      .update(littleEndianBytes(samples))
      .digest(),
  );
}

const HOST_IS_LITTLE_ENDIAN = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

function littleEndianBytes(samples: Float32Array): Uint8Array {
  if (HOST_IS_LITTLE_ENDIAN) return new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength);
  const view = new DataView(new ArrayBuffer(samples.byteLength));
  samples.forEach((value, i) => view.setFloat32(i * 4, value, true));
  return new Uint8Array(view.buffer);
}
