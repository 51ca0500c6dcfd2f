/**
 * The rate of a board that does not tell it: least squares of the number of readings on their arrival times, over the
 * last seconds. Chunks arrive in bursts (USB polls, operating systems buffer), so single intervals say nothing.
 */

/** Looked back at most so far: long against bursts, short against a sketch that changes its rate. */
const WINDOW_MS = 10_000;
/** Below this span a burst would be taken for a rate. */
export const MIN_SPAN_MS = 800;
const MAX_POINTS = 2048;

export interface ArrivalRate {
  /** `count` readings arrived together at `at` ms. */
  add(count: number, at: number): void;
  /** Readings per second, or null as long as there is too little to tell. */
  readonly hz: number | null;
  restart(): void;
}

export function createArrivalRate(): ArrivalRate {
  let points: { readonly at: number; readonly n: number }[] = [];
  let total = 0;

  return {
    add(count, at) {
      total += count;
      points.push({ at, n: total });
      const oldest = at - WINDOW_MS;
      if (points.length > MAX_POINTS || (points[0]?.at ?? at) < oldest - WINDOW_MS) {
        points = points.filter((point) => point.at >= oldest).slice(-MAX_POINTS);
      }
    },
    get hz() {
      const newest = points.at(-1);
      if (!newest) return null;
      const recent = points.filter((point) => point.at >= newest.at - WINDOW_MS);
      const first = recent[0] ?? newest;
      if (newest.at - first.at < MIN_SPAN_MS) return null;
      const meanAt = recent.reduce((sum, point) => sum + point.at, 0) / recent.length;
      const meanN = recent.reduce((sum, point) => sum + point.n, 0) / recent.length;
      let covariance = 0;
      let variance = 0;
      for (const { at, n } of recent) {
        covariance += (at - meanAt) * (n - meanN);
        variance += (at - meanAt) ** 2;
      }
      return (1000 * covariance) / variance;
    },
    restart() {
      points = [];
      total = 0;
    },
  };
}
