/** How trustworthy samples are: what was lost on the way, and how evenly they were taken. */
import { fitRate, RateEstimator } from './rate';
import type { RecordingQuality } from './recording';

/** What is known of some consecutive frames; fits `SampleBatch` of a board. */
export interface TimedFrames {
  readonly frames: number;
  /** Sequence number of the first frame, wrapping at 2^32, or null when the source has none. */
  readonly sequence: number | null;
  /** Frames lost just before these: by sequence numbers, or the session's estimate of time away times rate. */
  readonly lostBefore: number;
  /** The board's own time of the first frame in microseconds (may wrap at 2^32), or null. */
  readonly boardTimeUs: number | null;
  /** Arrival on our clock, ms. */
  readonly arrivedAt: number;
}

/** Lost frames beyond this are a restarted board or a wild sequence number, not a gap that can be counted. */
const MOST_LOST_AT_ONCE = 1_000_000;
const WRAP = 2 ** 32;

/** Follows a stream of batches and keeps the books for the recording that they make. */
export class QualityMeter {
  private lostFrames = 0;
  private gaps = 0;
  private malformed = 0;
  private index = 0;
  private expected: number | null = null;
  private boardUs = 0;
  private lastBoardUs: number | null = null;
  private readonly arrival = new RateEstimator();
  private readonly board = new RateEstimator();

  add({ frames, sequence, lostBefore, boardTimeUs, arrivedAt }: TimedFrames): void {
    let lost = Math.max(0, lostBefore);
    if (sequence !== null) {
      const jump = this.expected === null ? 0 : (sequence - this.expected + WRAP) % WRAP;
      this.expected = (sequence + frames) % WRAP;
      // A board that lost power counts from the start again: then the session's own estimate is all there is.
      if (jump <= MOST_LOST_AT_ONCE || lost === 0) lost = Math.max(lost, jump);
    }
    if (lost > 0 && this.index > 0) {
      this.gaps++;
      if (lost > MOST_LOST_AT_ONCE) {
        // How many are missing is unknown, so the regressions must begin anew.
        lost = 0;
        this.arrival.reset();
        this.board.reset();
        this.lastBoardUs = null;
      }
      this.lostFrames += lost;
      this.index += lost;
    }
    if (boardTimeUs !== null) {
      if (this.lastBoardUs !== null) this.boardUs += (boardTimeUs - this.lastBoardUs + WRAP) % WRAP;
      this.lastBoardUs = boardTimeUs;
      this.board.add(this.index, this.boardUs / 1000);
    }
    this.index += frames;
    if (frames > 0) this.arrival.add(this.index - 1, arrivedAt);
  }

  /** Counts lines or frames that could not be read. */
  addMalformed(count = 1): void {
    this.malformed += count;
  }

  /** Rate by the board's own clock where it has one, else by arrival; Hz, or null while there is too little. */
  get measuredRateHz(): number | null {
    return (this.board.estimate ?? this.arrival.estimate)?.rateHz ?? null;
  }

  get quality(): RecordingQuality {
    return {
      lostFrames: this.lostFrames,
      gaps: this.gaps,
      jitterMs: (this.board.estimate ?? this.arrival.estimate)?.jitterMs ?? null,
      malformed: this.malformed,
    };
  }
}

export interface TimesAssessment {
  /**
   * Rate from the typical distance between neighbours, Hz. Where distances differ, rounded to the fewest digits that are
   * within 0.5 %, so that recordings made with the same setting have the same nominal rate.
   */
  readonly nominalRateHz: number;
  /** Rate by regression, missing frames taken into account, Hz. */
  readonly measuredRateHz: number;
  readonly quality: RecordingQuality;
  /** Times that do not rise above the one before. */
  readonly notRising: number;
}

/** A distance of more than this many typical ones is a gap. */
const GAP_FACTOR = 1.75;

/**
 * Assesses the times of a whole recording. Distances well above the median one are gaps, and the frames that would have
 * fitted into them are lost. Null when fewer than two times rise.
 *
 * @param timesMs One time per frame, ms.
 */
export function assessTimes(timesMs: Float64Array): TimesAssessment | null {
  const distances: number[] = [];
  for (let i = 1; i < timesMs.length; i++) {
    const distance = timesMs[i]! - timesMs[i - 1]!;
    if (distance > 0) distances.push(distance);
  }
  if (distances.length === 0) return null;
  const { typical, even } = typicalDistance(Float64Array.from(distances));
  const indices = new Float64Array(timesMs.length);
  let lostFrames = 0;
  let gaps = 0;
  let notRising = 0;
  for (let i = 1; i < timesMs.length; i++) {
    const distance = timesMs[i]! - timesMs[i - 1]!;
    let step = 1;
    if (!(distance > 0)) notRising++;
    else if (distance > GAP_FACTOR * typical) {
      step = Math.round(distance / typical);
      lostFrames += step - 1;
      gaps++;
    }
    indices[i] = indices[i - 1]! + step;
  }
  const fit = fitRate(timesMs, indices);
  if (!fit) return null;
  return {
    nominalRateHz: even ? 1000 / typical : roundRate(1000 / typical),
    measuredRateHz: fit.rateHz,
    quality: { lostFrames, gaps, jitterMs: fit.jitterMs, malformed: 0 },
    notRising,
  };
}

/**
 * The distance that neighbours usually have. Boards stamp in whole milliseconds, so that at 62.5 or 119 Hz the
 * distances alternate: then the mean of all that are near the median is nearer to the truth than the median.
 */
function typicalDistance(distances: Float64Array): { readonly typical: number; readonly even: boolean } {
  const sorted = distances.sort();
  const median = sorted[sorted.length >> 1]!;
  let sum = 0;
  let count = 0;
  let even = true;
  for (const distance of sorted) {
    if (distance < median / GAP_FACTOR || distance > median * GAP_FACTOR) continue;
    sum += distance;
    count++;
    even &&= Math.abs(distance - median) <= 1e-6 * median;
  }
  return { typical: even ? median : sum / count, even };
}

/** The rate in the fewest significant digits (1 to 4) that change it by at most 0.5 %. */
export function roundRate(rateHz: number): number {
  for (let digits = 1; digits < 4; digits++) {
    const rounded = Number(rateHz.toPrecision(digits));
    if (Math.abs(rounded - rateHz) <= 0.005 * rateHz) return rounded;
  }
  return Number(rateHz.toPrecision(4));
}
