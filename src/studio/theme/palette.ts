/** Token colours as canvas and Chart.js need them: resolved for the theme that is on the screen. */

/** Number of data and trace colours in tokens.css. */
export const PALETTE_SIZE = 8;

/** `var(--data-n)` for a series or label; wraps around after eight. */
export function dataColor(index: number): string {
  return `var(--data-${(index % PALETTE_SIZE) + 1})`;
}

/** `var(--trace-n)` for a channel on the scope's screen: the hue that `dataColor` gives it on a panel. */
export function traceColor(index: number): string {
  return `var(--trace-${(index % PALETTE_SIZE) + 1})`;
}

/** Resolves CSS colours (tokens, light-dark(), var()) against `host`. */
export function resolveColors<K extends string>(host: Element, wanted: Readonly<Record<K, string>>): Record<K, string> {
  const probe = document.createElement('span');
  probe.hidden = true;
  // High contrast would give every colour the text's own: traces and bars must stay apart.
  probe.style.setProperty('forced-color-adjust', 'none');
  host.append(probe);
  const resolved = {} as Record<K, string>;
  for (const key of Object.keys(wanted) as K[]) {
    probe.style.color = wanted[key];
    resolved[key] = getComputedStyle(probe).color;
  }
  probe.remove();
  return resolved;
}
