/** The cores that code is emitted for, and how constants are laid out for each. */
import type { Int8Op } from '../quantize/int8-graph';
import { dspLayoutFits } from './weight-layout';
import { quadLayoutFits } from './weight-layout-quad';

export const TARGETS = ['generic', 'cortex-m4', 'cortex-m0plus', 'esp32', 'avr', 'rv32'] as const;
/** `cortex-m4` stands for M4, M7 and M33: ARMv7E-M with the DSP extension. */
export type Target = (typeof TARGETS)[number];

/**
 * `plain`: as TensorFlow has them, for the portable kernels. `dsp`: for SMLAD, two output channels to a 16-bit lane.
 * `quad`: for cores with a plain 32-bit multiplication, four output channels to a word.
 */
export type WeightLayout = 'plain' | 'dsp' | 'quad';

export function layoutOf(target: Target): WeightLayout {
  switch (target) {
    case 'cortex-m4':
      return 'dsp';
    case 'cortex-m0plus':
      return 'quad';
    default:
      return 'plain';
  }
}

/** Whether a layer fits depends on all of its weights, and planners ask thousands of times. Ops never change. */
const FITS = { dsp: new WeakMap<Int8Op, boolean>(), quad: new WeakMap<Int8Op, boolean>() } as const;

/** The layout that this very layer gets: `plain` where the target's own cannot hold it. */
export function layoutFor(op: Int8Op, target: Target): WeightLayout {
  const layout = layoutOf(target);
  if (layout === 'plain') return 'plain';
  const known = FITS[layout].get(op);
  const fits = known ?? (layout === 'dsp' ? dspLayoutFits(op) : quadLayoutFits(op));
  if (known === undefined) FITS[layout].set(op, fits);
  return fits ? layout : 'plain';
}

export function isTarget(text: string): text is Target {
  return (TARGETS as readonly string[]).includes(text);
}
