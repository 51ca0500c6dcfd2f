/** Lets the event loop turn, so that messages (a request to stop, above all) can arrive during long work. */

/**
 * Resolves in a later task. Not a timer: browsers make nested timers wait at least 4 ms.
 */
export function pause(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}

/** Work between two pauses, ms. */
const PAUSE_EVERY_MS = 50;

/** Pauses when the last pause was long enough ago; throws what `throwIfCancelled` throws. */
export class Breather {
  private last: number;

  constructor(
    private readonly now: () => number,
    private readonly throwIfCancelled: () => void,
  ) {
    this.last = now();
  }

  /** Returns whether there was a pause. */
  async breathe(): Promise<boolean> {
    this.throwIfCancelled();
    if (this.now() - this.last < PAUSE_EVERY_MS) return false;
    await pause();
    this.last = this.now();
    this.throwIfCancelled();
    return true;
  }
}
