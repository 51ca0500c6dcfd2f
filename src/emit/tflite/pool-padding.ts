/** Padding of pooling, which no PAD can replace: padded values do not count. */
import { samePadding, type Window2d } from '../../graph/window2d';
import { TfliteError } from './tflite-error';
import { TFLITE_PADDING } from './tflite-schema';

/** SAME or VALID. Throws TfliteError `unsupported-shape` when the window has another padding. */
export function poolPadding(window: Window2d, [height = 0, width = 0]: readonly number[], index: number): number {
  const { padTop, padBottom, padLeft, padRight } = window;
  if (padTop + padBottom + padLeft + padRight === 0) return TFLITE_PADDING.VALID;
  const vertical = samePadding(height, window.kernelHeight, window.strideHeight, 1);
  const horizontal = samePadding(width, window.kernelWidth, window.strideWidth, 1);
  const same =
    vertical.before === padTop &&
    vertical.after === padBottom &&
    horizontal.before === padLeft &&
    horizontal.after === padRight;
  if (same) return TFLITE_PADDING.SAME;
  throw new TfliteError(
    'unsupported-shape',
    `Operation ${index + 1} pools with a padding that TensorFlow Lite cannot express.`,
  );
}
