/** Which model the live station runs: the one on the board where it has one, else the studio's current one. */
import { BoardError, type BoardSession } from '../../../board/board';
import type { Model } from '../../../emit/model';
import { packId, readPack } from '../../../emit/pack';
import type { Board } from '../../state/boards.svelte';
import { findModel } from '../../state/model-id';
import type { StudioModel } from '../../state/models.svelte';
import { browserTurns, inTurn } from './board-turns';

export interface RunningModel {
  readonly model: Model;
  /** As the board names it. */
  readonly id: number;
}

/** Packs read back from boards, by model id: a model never changes under its id. */
const readBack: Record<number, Uint8Array> = {};

/** What the board means by this id, from the studio or read back from the board. Throws BoardError and EmitError. */
async function modelOf(
  id: number,
  known: readonly StudioModel[],
  session: BoardSession,
  signal: AbortSignal,
): Promise<RunningModel> {
  const pack = findModel(known, id)?.pack ?? readBack[id];
  if (pack) return { model: readPack(pack), id };
  const read = await inTurn(session, () => session.readModel({ signal }), { ...browserTurns, signal });
  readBack[packId(read)] = read;
  return { model: readPack(read), id: packId(read) };
}

export class LiveModel {
  running = $state.raw<RunningModel | null>(null);
  reading = $state(false);
  error = $state.raw<unknown>(null);
  /** The board never gives its model away over the protocol. */
  readonly refused = $derived(this.error instanceof BoardError && this.error.code === 'not-supported');

  /** Finds the model for this board. Returns when it is there or when it cannot be had. */
  async load(
    board: Board,
    activeId: number | null,
    known: readonly StudioModel[],
    current: StudioModel | null,
    signal: AbortSignal,
  ): Promise<void> {
    this.error = null;
    try {
      if (activeId === null) {
        this.running = current ? { model: readPack(current.pack), id: current.packId } : null;
        return;
      }
      this.reading = true;
      const found = await modelOf(activeId, known, board.session, signal);
      if (!signal.aborted) this.running = found;
    } catch (error) {
      if (!signal.aborted) {
        this.running = null;
        this.error = error;
      }
    } finally {
      if (!signal.aborted) this.reading = false;
    }
  }
}
