/** The scope's token colours, resolved for the theme that is on the screen. */
import { PALETTE_SIZE, resolveColors, traceColor } from '../theme/palette';
import type { ScopeColors } from './scope-renderer';

export function scopeColors(host: Element): ScopeColors {
  const resolved = resolveColors(host, {
    screen: 'var(--screen)',
    grid: 'var(--screen-grid)',
    axis: 'var(--screen-axis)',
    ink: 'var(--screen-ink-soft)',
    mark: 'var(--screen-mark)',
    gap: 'var(--screen-mark)',
  });
  const traces = resolveColors(
    host,
    Object.fromEntries(Array.from({ length: PALETTE_SIZE }, (_, index) => [`t${index}`, traceColor(index)])),
  );
  return { ...resolved, traces: Object.values(traces) };
}

/** Lettering on the screen. */
export function scopeFont(host: Element): string {
  return `11px ${getComputedStyle(host).fontFamily}`;
}
