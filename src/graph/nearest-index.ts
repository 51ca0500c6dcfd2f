/** Nearest-neighbour resizing: which input element each output element takes. */

/** For each output index the input index, as the reference kernel's float32 arithmetic gives it. */
export function nearestIndex(
  inputSize: number,
  outputSize: number,
  alignCorners: boolean,
  halfPixelCenters: boolean,
): number[] {
  const scale = Math.fround(
    alignCorners && outputSize > 1 ? (inputSize - 1) / (outputSize - 1) : inputSize / outputSize,
  );
  const offset = halfPixelCenters ? 0.5 : 0;
  return Array.from({ length: outputSize }, (_, index) => {
    const position = Math.fround(Math.fround(index + offset) * scale);
    // C's round() of a positive number; halves go up.
    const nearest = alignCorners ? Math.floor(position + 0.5) : Math.floor(position);
    return Math.max(0, Math.min(nearest, inputSize - 1));
  });
}
