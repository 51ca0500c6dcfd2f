/** Flashing an Arduino Uno or Nano through its own boot loader: firmware with the model inside. One at a time. */
import { BoardError } from '../../board/board';
import {
  FLASH_BYTES,
  FlashError,
  flashUno,
  OLD_NANO_BAUD,
  type FlashProgress,
  type FlashReport,
} from '../../board/stk500v1';
import { systemTiming } from '../../board/timing';
import { readPack } from '../../emit/pack';
import { unoImage, type UnoMemory } from '../../emit/uno-image';
import { patchImage, readHexImage } from '../../formats/intel-hex';
import type { Board } from './boards.svelte';
import type { StudioModel } from './models.svelte';

export class UnoFlash {
  phase = $state<'idle' | 'running' | 'cancelled' | 'failed' | 'done'>('idle');
  step = $state<FlashProgress['step']>('connecting');
  /** Bytes of this step. */
  done = $state(0);
  total = $state(0);
  report = $state.raw<FlashReport | null>(null);
  error = $state.raw<Error | null>(null);
  board = $state.raw<Board | null>(null);
  model = $state.raw<StudioModel | null>(null);
  #abort: AbortController | null = null;

  get running(): boolean {
    return this.phase === 'running';
  }

  /**
   * Lets go of the board's session, flashes, and connects again. `hex` is the firmware, `memory` what it offers; without
   * a model the board gets the firmware alone.
   */
  async start(board: Board, model: StudioModel | null, hex: string, memory: UnoMemory): Promise<void> {
    if (this.running) return;
    const abort = new AbortController();
    this.#abort = abort;
    this.phase = 'running';
    this.#show({ step: 'connecting', done: 0, total: 0 });
    this.error = null;
    this.report = null;
    this.board = board;
    this.model = model;
    try {
      this.report = await board.session.program((link) =>
        flashUno(link, {
          ...systemTiming,
          signal: abort.signal,
          onProgress: (progress) => this.#show(progress),
          image: (baudRate) => imageFor(hex, memory, model, baudRate),
          // So that no piece of an older model stays behind a shorter one.
          alwaysWrite: [memory.modelStart],
        }),
      );
      this.phase = 'done';
    } catch (error) {
      this.error = error instanceof Error ? error : new Error(String(error));
      this.phase = error instanceof BoardError && error.code === 'cancelled' ? 'cancelled' : 'failed';
    } finally {
      this.#abort = null;
    }
    if (this.phase === 'done') await board.connect();
  }

  cancel(): void {
    this.#abort?.abort();
  }

  #show({ step, done, total }: FlashProgress): void {
    this.step = step;
    this.done = done;
    this.total = total;
  }
}

/** The whole flash; throws FlashError `too-large` where the older boot loader leaves too little room. */
function imageFor(hex: string, memory: UnoMemory, model: StudioModel | null, baudRate: number): Uint8Array {
  const end = baudRate === OLD_NANO_BAUD ? memory.modelEndOldNano : memory.modelEnd;
  const firmware = readHexImage(hex, FLASH_BYTES);
  if (!model) return firmware;
  try {
    return patchImage(firmware, unoImage(readPack(model.pack), model.packId, memory, end), memory.modelStart, end);
  } catch (cause) {
    throw new FlashError(
      'too-large',
      'The model does not fit behind the firmware on this board. Nothing was written. Use a shorter window or fewer units.',
      { cause },
    );
  }
}
