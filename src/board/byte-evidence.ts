/**
 * What bytes that nobody understands look like. Text sent at another baud rate is garbage of a few byte values that
 * come again and again, as the text's own alphabet is small; noise of a floating line has no such habit.
 */

/** Fewer bytes prove nothing. */
export const EVIDENCE_BYTES = 64;
/** Text at the right rate is nearly all printable. */
const PRINTABLE_SHARE = 0.9;
/** Text has a line end at least this often. */
const LINE_BYTES = 512;
/**
 * Probability that two bytes are equal: 1/256 for noise, above 0.02 for numbers as text at any wrong rate (the tests
 * send text through a model of a UART). Between them, with room on both sides.
 */
const REPETITION = 0.012;

export type ByteVerdict = 'too-little' | 'text' | 'wrong-rate' | 'noise';

export interface ByteEvidence {
  push(bytes: Uint8Array): void;
  readonly verdict: ByteVerdict;
  restart(): void;
}

export function createByteEvidence(): ByteEvidence {
  const counts = new Uint32Array(256);
  let total = 0;
  return {
    push(bytes) {
      for (const byte of bytes) counts[byte] = (counts[byte] ?? 0) + 1;
      total += bytes.length;
    },
    get verdict() {
      if (total < EVIDENCE_BYTES) return 'too-little';
      let printable = 0;
      let pairs = 0;
      // Heard at half its rate, text may happen to be printable; its line ends do not stay line ends.
      const lineEnds = (counts[0x0a] ?? 0) + (counts[0x0d] ?? 0);
      counts.forEach((count, byte) => {
        if ((byte >= 0x20 && byte < 0x7f) || byte === 0x09 || byte === 0x0a || byte === 0x0d) printable += count;
        pairs += count * (count - 1);
      });
      if (printable >= PRINTABLE_SHARE * total && lineEnds * LINE_BYTES >= total) return 'text';
      return pairs / (total * (total - 1)) > REPETITION ? 'wrong-rate' : 'noise';
    },
    restart() {
      counts.fill(0);
      total = 0;
    },
  };
}
