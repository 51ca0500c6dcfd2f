/** Reading a model back from a board: one at a time, survives changing stations. */
import { BoardError, type BoardIdentity } from '../../board/board';
import { readUnoFlash } from '../../board/stk500v1';
import { systemTiming } from '../../board/timing';
import { emitHeader } from '../../emit/header';
import { EmitError, type Model } from '../../emit/model';
import { packId, readPack, writePack } from '../../emit/pack';
import { readUnoImage, unoImageBytes } from '../../emit/read-uno-image';
import { sameOnUno, type UnoMemory } from '../../emit/uno-image';
import type { Board } from './boards.svelte';
import { findModel, isModel } from './model-id';
import type { StudioModel } from './models.svelte';

export type ReadBackPhase = 'idle' | 'running' | 'failed' | 'done';

/** What was read, and what follows from it. */
export interface ReadBackResult {
  readonly boardName: string;
  /** `image`: the board keeps no pack; the model was made from what it runs, and has a pack of its own. */
  readonly source: 'pack' | 'image';
  readonly pack: Uint8Array;
  /** As the board names the model: with `image` not the id of `pack`. */
  readonly modelId: number;
  readonly model: Model;
  /** The text of model.h, regenerated from the pack. */
  readonly header: string;
}

/** Boards that keep an image of the model instead of its pack (docs/uno.md): only their boot loader gives it back. */
export function keepsImage(identity: Pick<BoardIdentity, 'firmware'> | null): boolean {
  return identity !== null && /^Mote Uno\b/.test(identity.firmware);
}

/** Whether a pack holds what an Uno would run exactly like `model`. */
export function computesLike(pack: Uint8Array, model: Model): boolean {
  try {
    return sameOnUno(readPack(pack), model);
  } catch {
    // A pack that cannot be read was not written to a board.
    return false;
  }
}

export class ReadBack {
  phase = $state<ReadBackPhase>('idle');
  /** Bytes. */
  done = $state(0);
  total = $state(0);
  result = $state.raw<ReadBackResult | null>(null);
  error = $state.raw<Error | null>(null);
  #abort: AbortController | null = null;

  constructor(
    private readonly unoMemory: () => Promise<UnoMemory>,
    private readonly models: () => readonly Pick<StudioModel, 'packId' | 'pack' | 'record'>[],
  ) {}

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
      const onProgress = (done: number, total: number): void => {
        this.done = done;
        this.total = total;
      };
      this.result = keepsImage(board.identity)
        ? await this.#readImage(board, abort.signal, onProgress)
        : await this.#readPack(board, slot, abort.signal, onProgress);
      this.phase = 'done';
    } catch (error) {
      this.phase = abort.signal.aborted ? 'idle' : 'failed';
      this.error = abort.signal.aborted ? null : error instanceof Error ? error : new Error(String(error));
    } finally {
      this.#abort = null;
    }
  }

  async #readPack(
    board: Board,
    slot: number | null,
    signal: AbortSignal,
    onProgress: (done: number, total: number) => void,
  ): Promise<ReadBackResult> {
    const pack = await board.session.readModel({
      ...(slot === null ? {} : { slot }),
      signal,
      onProgress: ({ done, total }) => onProgress(done, total),
    });
    const boardName = board.name;
    return { boardName, source: 'pack', pack, modelId: packId(pack), model: readPack(pack), header: emitHeader(pack) };
  }

  async #readImage(
    board: Board,
    signal: AbortSignal,
    onProgress: (done: number, total: number) => void,
  ): Promise<ReadBackResult> {
    const boardName = board.name;
    const channels = board.identity?.channels ?? [];
    const memory = await this.unoMemory();
    let flash: Uint8Array;
    try {
      flash = await board.session.program((link) =>
        readUnoFlash(link, {
          ...systemTiming,
          signal,
          onProgress,
          start: memory.modelStart,
          bytes: (first) => unoImageBytes(first) ?? 0,
        }),
      );
    } finally {
      // Read or not: its program runs again.
      void board.connect();
    }
    try {
      const { id, model } = readUnoImage(flash, channels);
      const known = this.#known(id, model);
      const pack = known?.pack ?? writePack(model);
      return {
        boardName,
        source: known?.packId === id ? 'pack' : 'image',
        pack,
        modelId: id,
        model: readPack(pack),
        header: emitHeader(pack),
      };
    } catch (error) {
      if (!(error instanceof EmitError)) throw error;
      const code = error.code === 'pack-magic' ? 'no-model' : 'slot-corrupt';
      throw new BoardError(code, error.message, { cause: error });
    }
  }

  /** The studio's model that this id means and that is `model`. */
  #known(id: number, model: Model): Pick<StudioModel, 'packId' | 'pack'> | undefined {
    return findModel(
      this.models().filter((own) => isModel(own, id) && computesLike(own.pack, model)),
      id,
    );
  }

  cancel(): void {
    this.#abort?.abort();
  }
}
