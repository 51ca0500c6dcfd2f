/** A recording as a CSV file that Edge Impulse, spreadsheets and this studio read; float32 values lose nothing. */
import type { LoadedRecording, Recording } from '../signal/recording';

/**
 * The shortest of the decimal forms with 6 to 9 digits that reads back as the same float32. Nine always do (IEEE 754,
 * 5.12.2).
 */
export function float32Text(value: number): string {
  if (Object.is(value, -0)) return '-0';
  for (let digits = 6; digits < 9; digits++) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return String(short);
  }
  return String(Number(value.toPrecision(9)));
}

function quoted(text: string): string {
  return /[",\n\r]/.test(text) || text.trim() !== text ? `"${text.replaceAll('"', '""')}"` : text;
}

/**
 * Header `timestamp` (ms) and the channels' names; one line per frame. A recording with segments gets a last column
 * `label`, empty outside segments.
 */
export function exportCsv({ recording, samples }: LoadedRecording): string {
  const { channels, frames, rateHz, segments } = recording;
  const width = channels.length;
  const lines = [
    ['timestamp', ...channels.map(({ name }) => quoted(name)), ...(segments.length > 0 ? ['label'] : [])].join(','),
  ];
  let segment = 0;
  for (let frame = 0; frame < frames; frame++) {
    let line = String(Number(((frame * 1000) / rateHz).toPrecision(12)));
    for (let channel = 0; channel < width; channel++) line += `,${float32Text(samples[frame * width + channel]!)}`;
    if (segments.length > 0) {
      while (segment < segments.length && segments[segment]!.end < frame) segment++;
      const here = segments[segment];
      line += `,${here && here.start <= frame ? quoted(here.label) : ''}`;
    }
    lines.push(line);
  }
  return `${lines.join('\n')}\n`;
}

/** `label.name.csv`, so that an import finds the label again; characters that file systems refuse become `-`. */
export function csvFileName({ label, name }: Pick<Recording, 'label' | 'name'>): string {
  const fit = (text: string) => text.replace(/[^\p{L}\p{N} _+()-]+/gu, '-').trim();
  const [head, rest] = [fit(label ?? ''), fit(name)];
  if (head === '' || rest === head) return `${rest || 'recording'}.csv`;
  return `${head}.${rest.startsWith(`${head}-`) ? rest.slice(head.length + 1) : rest || 'recording'}.csv`;
}
