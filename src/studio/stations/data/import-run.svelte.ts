/** One import: progress while it runs, a summary when it is done. */
import type { ImportNote, ImportProblem } from '../../../formats/import';
import { StoreError } from '../../../store/studio-store';
import type { ImportFile } from '../../services';
import type { Studio } from '../../state/studio.svelte';

export interface ImportSummary {
  readonly added: number;
  readonly known: number;
  readonly problems: readonly ImportProblem[];
  readonly notes: readonly ImportNote[];
  readonly cancelled: boolean;
  /** What stopped the import (the disk is full), or null. */
  readonly error: unknown;
}

export class ImportRun {
  running = $state(false);
  done = $state(0);
  total = $state(0);
  summary = $state.raw<ImportSummary | null>(null);
  #abort: AbortController | null = null;

  constructor(private readonly studio: Studio) {}

  cancel(): void {
    this.#abort?.abort();
  }

  async start(files: readonly ImportFile[]): Promise<void> {
    if (this.running || files.length === 0) return;
    const { services, store, recordings } = this.studio;
    const abort = new AbortController();
    this.#abort = abort;
    this.running = true;
    this.done = 0;
    this.total = files.length;
    this.summary = null;
    if (recordings.all.length === 0) void store.requestPersistence();
    let added = 0;
    let known = 0;
    let error: unknown = null;
    let problems: readonly ImportProblem[] = [];
    let notes: readonly ImportNote[] = [];
    try {
      const remarks = await services.importFiles(files, {
        sessionId: services.randomId(),
        signal: abort.signal,
        onProgress: (done, total) => {
          this.done = done;
          this.total = total;
        },
        onRecording: async (loaded) => {
          try {
            await store.addRecording(loaded);
            added++;
          } catch (cause) {
            if (!(cause instanceof StoreError && cause.code === 'exists')) throw cause;
            known++;
          }
        },
      });
      problems = remarks.problems;
      notes = remarks.notes;
    } catch (cause) {
      error = cause;
    } finally {
      await recordings.refresh();
      this.summary = { added, known, problems, notes, cancelled: abort.signal.aborted, error };
      this.running = false;
      this.#abort = null;
    }
  }
}
