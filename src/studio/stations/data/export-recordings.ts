/** Recordings as CSV: one as a file, several as one zip. */
import { csvFileName, exportCsv } from '../../../formats/csv-export';
import type { Recording } from '../../../signal/recording';
import type { Recordings } from '../../state/recordings.svelte';
import { download } from './download';

/** The page gets a turn after so many recordings. */
const TURN_AFTER = 20;

/** A name that is not taken yet: "wave.1.csv", "wave.1 (2).csv". */
export function freeName(name: string, taken: ReadonlySet<string>): string {
  if (!taken.has(name)) return name;
  const dot = name.lastIndexOf('.');
  for (let count = 2; ; count++) {
    const next = `${name.slice(0, dot)} (${count})${name.slice(dot)}`;
    if (!taken.has(next)) return next;
  }
}

export async function exportRecordings(recordings: Recordings, chosen: readonly Recording[]): Promise<void> {
  const [only] = chosen;
  if (only && chosen.length === 1) {
    const text = exportCsv({ recording: only, samples: await recordings.samples(only.id) });
    download(csvFileName(only), text, 'text/csv');
    return;
  }
  const { strToU8, Zip, ZipDeflate } = await import('fflate');
  const parts: Uint8Array<ArrayBuffer>[] = [];
  const failures: Error[] = [];
  // Not fflate's asynchronous kind: that one starts workers from blob addresses, which the page's policy forbids.
  const archive = new Zip((error, part) => {
    if (error) failures.push(error);
    else parts.push(part);
  });
  const taken = new Set<string>();
  for (const [index, recording] of chosen.entries()) {
    const name = freeName(csvFileName(recording), taken);
    taken.add(name);
    const file = new ZipDeflate(name, { level: 6 });
    archive.add(file);
    file.push(strToU8(exportCsv({ recording, samples: await recordings.samples(recording.id) })), true);
    if (index % TURN_AFTER === 0) await new Promise((resolve) => setTimeout(resolve));
  }
  archive.end();
  if (failures[0]) throw failures[0];
  download('mote-recordings.zip', parts, 'application/zip');
}
