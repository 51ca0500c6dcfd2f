/** Which recordings the list shows, and in which order. */
import type { Recording } from '../../../signal/recording';
import { labelsOf } from '../../../signal/split';
import { secondsOf } from '../../state/dataset';

export const ORDERS = ['newest', 'oldest', 'name', 'label', 'longest'] as const;
export type Order = (typeof ORDERS)[number];

/** A label, `null` for all, or `undefined` for recordings without a label. */
export type LabelFilter = string | null | undefined;

export function listRecordings(
  recordings: readonly Recording[],
  { label, text, order }: { readonly label: LabelFilter; readonly text: string; readonly order: Order },
): Recording[] {
  const wanted = text.trim().toLocaleLowerCase();
  const found = recordings.filter((recording) => {
    const labels = labelsOf(recording);
    if (label === undefined ? labels.length > 0 : label !== null && !labels.includes(label)) return false;
    return wanted === '' || [recording.name, ...labels].some((one) => one.toLocaleLowerCase().includes(wanted));
  });
  // Numbers in names count as numbers: "wave.2" stands before "wave.10".
  const byText = new Intl.Collator(undefined, { numeric: true }).compare;
  const byName = (a: Recording, b: Recording) => byText(a.name, b.name);
  const compare: Readonly<Record<Order, (a: Recording, b: Recording) => number>> = {
    newest: (a, b) => b.createdAt - a.createdAt || byName(a, b),
    oldest: (a, b) => a.createdAt - b.createdAt || byName(a, b),
    name: byName,
    label: (a, b) => byText(labelsOf(a)[0] ?? '\uffff', labelsOf(b)[0] ?? '\uffff') || byName(a, b),
    longest: (a, b) => secondsOf(b) - secondsOf(a) || byName(a, b),
  };
  return found.sort(compare[order]);
}
