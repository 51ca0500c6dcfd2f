/** The cores that code is emitted for, and how constants are laid out for each. */

export const TARGETS = ['generic', 'cortex-m4', 'cortex-m0plus', 'esp32', 'avr', 'rv32'] as const;
/** `cortex-m4` stands for M4, M7 and M33: ARMv7E-M with the DSP extension. */
export type Target = (typeof TARGETS)[number];

/**
 * `plain`: as TensorFlow has them, for the portable kernels. `dsp`: for SMLAD, two output channels to a 16-bit lane.
 */
export type WeightLayout = 'plain' | 'dsp';

export function layoutOf(target: Target): WeightLayout {
  return target === 'cortex-m4' ? 'dsp' : 'plain';
}

export function isTarget(text: string): text is Target {
  return (TARGETS as readonly string[]).includes(text);
}
