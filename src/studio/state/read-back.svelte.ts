/** Reading a model back from a board: one at a time, survives changing stations. */
import { emitHeader } from '../../emit/header';
import type { Model } from '../../emit/model';
import { packId, readPack } from '../../emit/pack';
import type { Board } from './boards.svelte';

export type ReadBackPhase = 'idle' | 'running' | 'failed' | 'done';

/** What was read, and what follows from it. */
export interface ReadBackResult {
  readonly boardName: string;
  readonly pack: Uint8Array;
  readonly modelId: number;
  readonly model: Model;
  /** The text of model.h, regenerated from the pack. */
  readonly header: string;
}

export class ReadBack {
  phase = $state<ReadBackPhase>('idle');
  /** Bytes. */
  done = $state(0);
  total = $state(0);
  result = $state.raw<ReadBackResult | null>(null);
  error = $state.raw<Error | null>(null);
  #abort: AbortController | null = null;

  get running(): boolean {
    return this.phase === 'running';
  }

  /** Reads `slot`, or the active one when it is null. */
  async start(board: Board, slot: number | null): Promise<void> {
    if (this.running) return;
    const abort = new AbortController();
    this.#abort = abort;
    this.phase = 'running';
    this.done = 0;
    this.total = 0;
    this.result = null;
    this.error = null;
    try {
      const pack = await board.session.readModel({
        ...(slot === null ? {} : { slot }),
        signal: abort.signal,
        onProgress: ({ done, total }) => {
          this.done = done;
          this.total = total;
        },
      });
      const model = readPack(pack);
      this.result = {
        boardName: board.name,
        pack,
        modelId: packId(pack),
        model,
        header: emitHeader(pack),
      };
      this.phase = 'done';
    } catch (error) {
      this.phase = abort.signal.aborted ? 'idle' : 'failed';
      this.error = abort.signal.aborted ? null : error instanceof Error ? error : new Error(String(error));
    } finally {
      this.#abort = null;
    }
  }

  cancel(): void {
    this.#abort?.abort();
  }
}
