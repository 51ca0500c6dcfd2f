/** How long boards take for one window of a model: predicted, and replaced by what a board measured. Pure. */
import { strideFrames } from '../../../dsp/block';
import type { Model } from '../../../emit/model';
import { estimateModelCycles, type ModelCore } from '../../../emit/model-latency';
import type { MeasuredTime } from '../../state/boards.svelte';

/** A board that runs our firmware, under the name that it gives itself. */
interface KnownBoard {
  readonly name: string;
  readonly chip: string;
  readonly core: ModelCore;
  readonly megahertz: number;
}

const KNOWN_BOARDS: readonly KnownBoard[] = [
  { name: 'Arduino Uno', chip: 'ATmega328P', core: 'uno', megahertz: 16 },
  { name: 'micro:bit v1', chip: 'Cortex-M0', core: 'cortex-m0plus', megahertz: 16 },
  { name: 'micro:bit v2', chip: 'Cortex-M4F', core: 'cortex-m4f', megahertz: 64 },
  { name: 'Raspberry Pi Pico', chip: 'Cortex-M0+', core: 'cortex-m0plus', megahertz: 125 },
];

export interface BoardTime {
  readonly name: string;
  /** Processor and clock; null for a board that only its measurement is known of. */
  readonly chip: string | null;
  readonly megahertz: number | null;
  readonly source: 'measured' | 'predicted';
  /** Microseconds for one window: features and network. */
  readonly us: number;
  /** Of a prediction. */
  readonly featuresUs: number | null;
  readonly networkUs: number | null;
  /** How far off a prediction may be, as a share of it; 0 when measured. */
  readonly error: number;
  /** Whether a window is done before the next one is due; `close`: a prediction that may miss it. */
  readonly pace: 'fast-enough' | 'close' | 'too-slow';
}

function paceOf(us: number, error: number, strideUs: number): BoardTime['pace'] {
  if (us > strideUs) return 'too-slow';
  return us * (1 + error) > strideUs ? 'close' : 'fast-enough';
}

/** Microseconds from one window to the next. */
export function strideUsOf(model: Pick<Model, 'input'>): number {
  return (strideFrames(model.input) / model.input.rateHz) * 1e6;
}

/** Known boards first, then others that measured. Empty for networks that nothing is known of. */
export function boardTimes(
  model: Pick<Model, 'blocks' | 'input' | 'graph'>,
  measured: readonly MeasuredTime[],
): readonly BoardTime[] {
  const strideUs = strideUsOf(model);
  const own = (name: string): MeasuredTime | undefined => measured.find((time) => time.name === name);
  const known = KNOWN_BOARDS.flatMap(({ name, chip, core, megahertz }): BoardTime[] => {
    const time = own(name);
    if (time) {
      const { us } = time;
      const pace = paceOf(us, 0, strideUs);
      return [{ name, chip, megahertz, source: 'measured', us, featuresUs: null, networkUs: null, error: 0, pace }];
    }
    const cycles = estimateModelCycles(model, core);
    if (!cycles) return [];
    const [featuresUs, networkUs] = [cycles.features / megahertz, cycles.network / megahertz];
    const us = featuresUs + networkUs;
    const { error } = cycles;
    const pace = paceOf(us, error, strideUs);
    return [{ name, chip, megahertz, source: 'predicted', us, featuresUs, networkUs, error, pace }];
  });
  const others = measured
    .filter(({ name }) => !KNOWN_BOARDS.some((board) => board.name === name))
    .map(({ name, us }): BoardTime => {
      const pace = paceOf(us, 0, strideUs);
      return {
        ...{ name, chip: null, megahertz: null, source: 'measured', us },
        ...{ featuresUs: null, networkUs: null, error: 0, pace },
      };
    });
  return [...known, ...others];
}
