/**
 * The rate at which samples are taken, from the times at which they arrive or were stamped: the slope of the line
 * through (index, time), by least squares.
 */

/** What is known of a rate. */
export interface RateEstimate {
  /** Samples per second, more than 0. */
  readonly rateHz: number;
  /** One standard error of `rateHz`, Hz: how far off it may be. */
  readonly errorHz: number;
  /** RMS deviation of the times from the line, ms. */
  readonly jitterMs: number;
  /** Points the line goes through. */
  readonly points: number;
}

/** Arrivals closer together than this came in one delivery; only the last of them tells when its sample was taken. */
const SAME_DELIVERY_MS = 3;
/** Fewer points than this give no estimate. */
const LEAST_POINTS = 3;
/** Points before late arrivals can be told from usual ones. */
const LEARN_POINTS = 12;
/** A deviation of more than this many times the usual one weighs less (Huber's method). */
const USUAL_DEVIATIONS = 2;

/** Running sums of a weighted straight-line fit, about a moving mean so that long recordings lose no precision. */
class LineFit {
  points = 0;
  private weight = 0;
  private meanX = 0;
  private meanY = 0;
  private xx = 0;
  private xy = 0;
  private yy = 0;

  /** Source: the weighted form of Welford's update (West, Comm. ACM 22, 1979). */
  add(x: number, y: number, weight: number): void {
    this.points++;
    this.weight += weight;
    const dx = x - this.meanX;
    const dy = y - this.meanY;
    const share = weight / this.weight;
    this.meanX += dx * share;
    this.meanY += dy * share;
    this.xx += weight * dx * (x - this.meanX);
    this.xy += weight * dx * (y - this.meanY);
    this.yy += weight * dy * (y - this.meanY);
  }

  get slope(): number {
    return this.xy / this.xx;
  }

  predict(x: number): number {
    return this.meanY + this.slope * (x - this.meanX);
  }

  /** RMS distance from the line. */
  get residual(): number {
    return Math.sqrt(Math.max(0, this.yy - (this.xy * this.xy) / this.xx) / this.weight);
  }

  /** One standard error of the slope. */
  get slopeError(): number {
    if (this.points < 3) return Infinity;
    return Math.sqrt(Math.max(0, this.yy - (this.xy * this.xy) / this.xx) / (this.points - 2) / this.xx);
  }
}

/**
 * Estimates a rate while samples arrive. USB delivers in clumps: of all samples that come together, only the last one
 * was taken just now, so a clump is one point. A stalled tab or bus makes points late, never early; late ones weigh less.
 */
export class RateEstimator {
  private fit = new LineFit();
  private held: { readonly index: number; readonly timeMs: number; readonly since: number } | null = null;
  private usual = 0;

  /**
   * @param index Number of the sample (gaps counted), not falling.
   * @param timeMs When it arrived or was taken, ms, on any clock that does not jump.
   */
  add(index: number, timeMs: number): void {
    if (!Number.isFinite(index) || !Number.isFinite(timeMs)) return;
    const { held } = this;
    if (held && index < held.index) return;
    if (held && timeMs - held.since < SAME_DELIVERY_MS) {
      this.held = { index, timeMs, since: held.since };
      return;
    }
    if (held) this.take(held.index, held.timeMs);
    this.held = { index, timeMs, since: timeMs };
  }

  /** The estimate so far, or null while there is too little to go by. */
  get estimate(): RateEstimate | null {
    const { fit } = this;
    const { slope } = fit;
    if (fit.points < LEAST_POINTS || !(slope > 0)) return null;
    const rateHz = 1000 / slope;
    return { rateHz, errorHz: (rateHz * fit.slopeError) / slope, jitterMs: fit.residual, points: fit.points };
  }

  /** Forgets everything: after a reconnect, or when the rate was changed. */
  reset(): void {
    this.fit = new LineFit();
    this.held = null;
    this.usual = 0;
  }

  private take(index: number, timeMs: number): void {
    let weight = 1;
    if (this.fit.points >= LEARN_POINTS) {
      const deviation = Math.abs(timeMs - this.fit.predict(index));
      const most = USUAL_DEVIATIONS * this.usual;
      if (deviation > most && deviation > 0) weight = most / deviation;
      this.usual += (Math.min(deviation, most + 0.1) - this.usual) / 32;
    } else if (this.fit.points === LEARN_POINTS - 1) {
      this.usual = Math.max(0.1, this.fit.residual);
    }
    this.fit.add(index, timeMs, weight);
  }
}

/**
 * Fits the rate of a whole recording with one exact time per sample, such as a CSV's timestamp column. Nothing is
 * merged or weighed less. Null when the times do not rise.
 *
 * @param timesMs One time per sample, ms.
 * @param indices Number of each sample where some are missing; default 0, 1, 2, ...
 */
export function fitRate(timesMs: ArrayLike<number>, indices?: ArrayLike<number>): RateEstimate | null {
  const fit = new LineFit();
  for (let i = 0; i < timesMs.length; i++) fit.add(indices?.[i] ?? i, timesMs[i]!, 1);
  const { slope } = fit;
  if (fit.points < 2 || !(slope > 0) || !Number.isFinite(slope)) return null;
  const rateHz = 1000 / slope;
  const errorHz = fit.points < 3 ? rateHz : (rateHz * fit.slopeError) / slope;
  return { rateHz, errorHz, jitterMs: fit.residual, points: fit.points };
}
