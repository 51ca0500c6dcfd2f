/**
 * Sine of an angle in turns, the same bits on every machine: `Math.sin` may differ in its last bit between engines.
 * Odd Taylor polynomial of degree 17 on -1/4..1/4 turn; absolute error below 1e-13.
 */
const COEFFICIENTS = [
  1,
  -1 / 6,
  1 / 120,
  -1 / 5040,
  1 / 362880,
  -1 / 39916800,
  1 / 6227020800,
  -1 / 1307674368000,
  1 / 355687428096000,
];

export function sineOfTurns(turns: number): number {
  let r = turns - Math.round(turns);
  if (r > 0.25) r = 0.5 - r;
  else if (r < -0.25) r = -0.5 - r;
  const x = 2 * Math.PI * r;
  const square = x * x;
  let sum = 0;
  for (let i = COEFFICIENTS.length - 1; i >= 0; i--) sum = sum * square + COEFFICIENTS[i]!;
  return sum * x;
}

export function cosineOfTurns(turns: number): number {
  return sineOfTurns(turns + 0.25);
}
