/** Fits costs to measurements: least squares of relative errors, no cost below 0, by coordinate descent. */
export interface Measured {
  /** How often each cost occurs. */
  readonly terms: readonly number[];
  /** What was measured, above 0. */
  readonly cycles: number;
}

const ROUNDS = 20_000;
const DIGITS = 3;
const NOTHING = 1e-6;

export function predicted(terms: readonly number[], costs: readonly number[]): number {
  return terms.reduce((sum, term, index) => sum + term * (costs[index] ?? 0), 0);
}

/** One cost per term, of three significant digits. */
export function fitCosts(rows: readonly Measured[]): number[] {
  const costs = (rows[0]?.terms ?? []).map(() => 0);
  for (let round = 0; round < ROUNDS; round++) {
    for (const [k, cost] of costs.entries()) {
      let [over, under] = [0, 0];
      for (const { terms, cycles } of rows) {
        const own = terms[k] ?? 0;
        const rest = predicted(terms, costs) - own * cost;
        over += (own / cycles) * (1 - rest / cycles);
        under += (own / cycles) ** 2;
      }
      costs[k] = under === 0 ? 0 : Math.max(0, over / under);
    }
  }
  return costs.map((cost) => (cost < NOTHING ? 0 : Number(cost.toPrecision(DIGITS))));
}

/** Largest relative error. */
export function largestError(rows: readonly Measured[], costs: readonly number[]): number {
  return Math.max(...rows.map(({ terms, cycles }) => Math.abs(predicted(terms, costs) / cycles - 1)));
}
