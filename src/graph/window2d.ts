/** Geometry of a window that slides over [H, W, C]: convolutions and pooling. */

export interface Window2d {
  readonly kernelHeight: number;
  readonly kernelWidth: number;
  readonly strideHeight: number;
  readonly strideWidth: number;
  /** Distance between neighbouring taps; 1 = dense. Pooling always has 1. */
  readonly dilationHeight: number;
  readonly dilationWidth: number;
  readonly padTop: number;
  readonly padLeft: number;
  readonly padBottom: number;
  readonly padRight: number;
}

/** Input elements from the first to the last tap. */
export function extent(kernel: number, dilation: number): number {
  return (kernel - 1) * dilation + 1;
}

/** Positions of a window along one axis: 0 or less when it does not fit. */
export function outputSize(input: number, kernel: number, stride: number, dilation: number, padding: number): number {
  return Math.floor((input + padding - extent(kernel, dilation)) / stride) + 1;
}

/** TFLite's SAME padding along one axis: ceil(input / stride) outputs, the odd element at the end. */
export function samePadding(
  input: number,
  kernel: number,
  stride: number,
  dilation: number,
): { readonly before: number; readonly after: number } {
  const total = Math.max((Math.ceil(input / stride) - 1) * stride + extent(kernel, dilation) - input, 0);
  return { before: Math.floor(total / 2), after: total - Math.floor(total / 2) };
}

/** Shape of what a window makes of [H, W, C] with `channels` output channels. */
export function windowOutputShape(
  [height = 0, width = 0]: readonly number[],
  window: Window2d,
  channels: number,
): [number, number, number] {
  return [
    outputSize(
      height,
      window.kernelHeight,
      window.strideHeight,
      window.dilationHeight,
      window.padTop + window.padBottom,
    ),
    outputSize(width, window.kernelWidth, window.strideWidth, window.dilationWidth, window.padLeft + window.padRight),
    channels,
  ];
}
