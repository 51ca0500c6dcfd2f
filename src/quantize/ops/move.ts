/** Ops that only move bytes: pad, concat, transpose, strided slice. */
import { elementCount } from '../../graph/float-graph';

/** A shape with leading ones up to rank 4, as the C kernels take it. */
export function toRank4(shape: readonly number[], fill = 1): [number, number, number, number] {
  const padded = [...new Array<number>(4 - shape.length).fill(fill), ...shape];
  return padded as [number, number, number, number];
}

/** A permutation of `rank` axes, extended to rank 4. */
export function permutationToRank4(permutation: readonly number[]): [number, number, number, number] {
  const lead = 4 - permutation.length;
  const padded = [...Array.from({ length: lead }, (_, axis) => axis), ...permutation.map((axis) => axis + lead)];
  return padded as [number, number, number, number];
}

/** Elements between neighbours along each axis of a row-major shape. */
function stridesOf(shape: readonly number[]): number[] {
  return shape.map((_, axis) => elementCount(shape.slice(axis + 1)));
}

type Bytes = Int8Array | Int16Array | Float32Array;

/** to[i] = from[start + sum of i * step] over all indices of `shape` (rank 4), in row-major order. */
function moveAll(shape: readonly number[], start: number, steps: readonly number[], from: Bytes, to: Bytes): void {
  const [n0 = 1, n1 = 1, n2 = 1, n3 = 1] = shape;
  const [s0 = 0, s1 = 0, s2 = 0, s3 = 0] = steps;
  let at = 0;
  for (let a = 0; a < n0; a++)
    for (let b = 0; b < n1; b++)
      for (let c = 0; c < n2; c++) {
        let source = start + a * s0 + b * s1 + c * s2;
        for (let d = 0; d < n3; d++, source += s3) to[at++] = from[source] as number;
      }
}

export function transpose(shape: readonly number[], permutation: readonly number[], from: Bytes, to: Bytes): void {
  const full = toRank4(shape);
  const order = permutationToRank4(permutation);
  const strides = stridesOf(full);
  moveAll(
    order.map((axis) => full[axis] as number),
    0,
    order.map((axis) => strides[axis] as number),
    from,
    to,
  );
}

export function stridedSlice(
  shape: readonly number[],
  begin: readonly number[],
  strides: readonly number[],
  output: readonly number[],
  from: Bytes,
  to: Bytes,
): void {
  const full = toRank4(shape);
  const steps = stridesOf(full);
  const first = toRank4(begin, 0);
  const every = toRank4(strides);
  const start = first.reduce((sum, index, axis) => sum + index * (steps[axis] as number), 0);
  moveAll(
    toRank4(output),
    start,
    steps.map((step, axis) => step * (every[axis] as number)),
    from,
    to,
  );
}

export function pad(
  shape: readonly number[],
  before: readonly number[],
  output: readonly number[],
  value: number,
  from: Bytes,
  to: Bytes,
): void {
  to.fill(value);
  const [n0, n1, n2, n3] = toRank4(shape);
  const [, m1, m2, m3] = toRank4(output);
  const [b0, b1, b2, b3] = toRank4(before, 0);
  let at = 0;
  for (let a = 0; a < n0; a++)
    for (let b = 0; b < n1; b++)
      for (let c = 0; c < n2; c++) {
        const target = (((a + b0) * m1 + b + b1) * m2 + c + b2) * m3 + b3;
        for (let d = 0; d < n3; d++) to[target + d] = from[at++] as number;
      }
}

/** An input of a concatenation: its values, and its shape as the output's but for the axis. */
export interface ConcatInput {
  readonly values: Bytes;
  readonly shape: readonly number[];
}

/** Concatenation along an axis: blocks of each input, a row of the output apart. Returns what does it. */
export function prepareConcat(
  inputs: readonly ConcatInput[],
  axis: number,
  outputShape: readonly number[],
  to: Bytes,
): () => void {
  const inner = elementCount(outputShape.slice(axis + 1));
  const gap = (outputShape[axis] as number) * inner;
  let end = 0;
  const parts = inputs.map(({ values, shape }) => {
    const block = (shape[axis] as number) * inner;
    const start = end;
    end += block;
    return { values, block, start };
  });
  return () => {
    for (const { values, block, start } of parts) {
      for (let at = 0, target = start; at < values.length; at += block, target += gap) {
        for (let i = 0; i < block; i++) to[target + i] = values[at + i] as number;
      }
    }
  };
}
