/** Options that all charts share: theme colours, tabular figures, no animation. Types only; Chart.js loads later. */
import type { ChartOptions, LinearScaleOptions } from 'chart.js';
import { format as formats } from '../messages/format';

/** Resolves a CSS colour (a token, `color-mix`) for the theme that is on the screen. */
export type ColorOf = (css: string) => string;

export interface AxisLook {
  readonly title?: string;
  readonly min?: number;
  readonly max?: number;
  /** Text of a tick, with its unit where the title does not name it. */
  readonly format?: (value: number) => string;
  readonly ticks?: number;
}

const FONT = { size: 12, family: 'system-ui, sans-serif' } as const;

/** `scales.x` or `scales.y` of a chart with numbers on that axis. */
export function linearAxis(look: AxisLook, color: ColorOf) {
  const format = look.format ?? formats.number;
  return {
    type: 'linear' as const,
    ...(look.min === undefined ? {} : { min: look.min }),
    ...(look.max === undefined ? {} : { max: look.max }),
    border: { color: color('var(--edge)') },
    grid: { color: color('var(--hairline)'), tickLength: 4 },
    ticks: {
      color: color('var(--ink-faint)'),
      font: FONT,
      maxTicksLimit: look.ticks ?? 7,
      maxRotation: 0,
      callback: (value: string | number) => format(Number(value)),
    },
    title: {
      display: look.title !== undefined,
      text: look.title ?? '',
      color: color('var(--ink-soft)'),
      font: FONT,
    },
  } satisfies { type: 'linear' } & Record<string, unknown> & Partial<Pick<LinearScaleOptions, 'min' | 'max'>>;
}

/** The tooltip's colours, and everything that must be switched off for many points. */
export function sharedOptions(color: ColorOf) {
  return {
    responsive: true,
    maintainAspectRatio: false,
    animation: false,
    normalized: true,
    plugins: {
      tooltip: {
        backgroundColor: color('var(--ink)'),
        titleColor: color('var(--panel)'),
        bodyColor: color('var(--panel)'),
        titleFont: FONT,
        bodyFont: FONT,
        padding: 8,
        cornerRadius: 6,
        boxPadding: 4,
      },
    },
  } satisfies ChartOptions;
}
