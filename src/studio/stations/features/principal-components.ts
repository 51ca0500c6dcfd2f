/** The two directions in which standardised features differ most: a flat picture of many dimensions. */
import { Random } from '../../../signal/random';

export interface PrincipalComponents {
  /** Unit vectors, `features` long. The entry of largest magnitude is positive, so that pictures do not flip. */
  readonly axes: readonly [Float64Array, Float64Array];
  /** Share of all variance along each axis, 0..1. */
  readonly explained: readonly [number, number];
}

export interface PrincipalComponentOptions {
  /** Called between iterations: let the page breathe, throw to stop. */
  readonly pause: () => Promise<void>;
}

const MOST_ITERATIONS = 80;
/** The directions are settled when neither moves by more than this. */
const SETTLED = 1e-7;
const SEED = 7;

function normalize(vector: Float64Array): number {
  let squares = 0;
  for (const value of vector) squares += value * value;
  const length = Math.sqrt(squares);
  if (length > 0) for (let i = 0; i < vector.length; i++) vector[i] = (vector[i] as number) / length;
  return length;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] as number) * (b[i] as number);
  return sum;
}

/** next = Xᵀ X axis, without ever forming the covariance matrix. */
function spread(rows: Float32Array, count: number, features: number, axis: Float64Array, next: Float64Array): void {
  next.fill(0);
  for (let row = 0; row < count; row++) {
    const at = row * features;
    let along = 0;
    for (let i = 0; i < features; i++) along += (rows[at + i] as number) * (axis[i] as number);
    for (let i = 0; i < features; i++) next[i] = (next[i] as number) + along * (rows[at + i] as number);
  }
}

/**
 * Orthogonal iteration (Golub and Van Loan, Matrix Computations, section 8.2.4) on rows with mean 0.
 * @param rows `count * features` float32, `rows[row * features + feature]`.
 */
export async function principalComponents(
  rows: Float32Array,
  count: number,
  features: number,
  { pause }: PrincipalComponentOptions,
): Promise<PrincipalComponents> {
  const random = new Random(SEED);
  const start = () => Float64Array.from({ length: features }, () => random.between(-1, 1));
  const axes: [Float64Array, Float64Array] = [start(), start()];
  normalize(axes[0]);
  normalize(axes[1]);
  let lengths: [number, number] = [0, 0];
  for (let iteration = 0; iteration < MOST_ITERATIONS; iteration++) {
    const next: [Float64Array, Float64Array] = [new Float64Array(features), new Float64Array(features)];
    spread(rows, count, features, axes[0], next[0]);
    spread(rows, count, features, axes[1], next[1]);
    const first = normalize(next[0]);
    const along = dot(next[0], next[1]);
    for (let i = 0; i < features; i++) next[1][i] = (next[1][i] as number) - along * (next[0][i] as number);
    lengths = [first, normalize(next[1])];
    const moved = Math.max(1 - Math.abs(dot(axes[0], next[0])), 1 - Math.abs(dot(axes[1], next[1])));
    axes[0] = next[0];
    axes[1] = next[1];
    await pause();
    if (moved < SETTLED) break;
  }
  for (const axis of axes) {
    let largest = 0;
    for (const value of axis) if (Math.abs(value) > Math.abs(largest)) largest = value;
    if (largest < 0) for (let i = 0; i < features; i++) axis[i] = -(axis[i] as number);
  }
  let total = 0;
  for (let i = 0; i < count * features; i++) total += (rows[i] as number) ** 2;
  const share = (length: number) => (total > 0 ? Math.min(1, length / total) : 0);
  return { axes, explained: [share(lengths[0]), share(lengths[1])] };
}

/** Coordinates of every row along an axis. */
export function project(rows: Float32Array, count: number, axis: Float64Array): Float32Array {
  const features = axis.length;
  return Float32Array.from({ length: count }, (_, row) => {
    let sum = 0;
    for (let i = 0; i < features; i++) sum += (rows[row * features + i] as number) * (axis[i] as number);
    return sum;
  });
}
