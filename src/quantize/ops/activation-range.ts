/** The clamp of an int8 layer's output: TFLite's `CalculateActivationRangeQuantized`. */
import type { Activation } from '../../graph/float-graph';
import { roundHalfAway } from '../requantize';

/** `scale` and `zeroPoint` are the output's. */
export function activationRange(
  activation: Activation,
  scale: number,
  zeroPoint: number,
): { readonly actMin: number; readonly actMax: number } {
  switch (activation) {
    case 'none':
      return { actMin: -128, actMax: 127 };
    case 'relu':
      return { actMin: zeroPoint, actMax: 127 };
    case 'relu6':
      return { actMin: zeroPoint, actMax: Math.min(127, zeroPoint + roundHalfAway(Math.fround(6 / scale))) };
  }
}
