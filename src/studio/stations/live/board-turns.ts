/**
 * Asks a board one thing after the other. A session refuses with `busy` while it does something else; starting and
 * stopping in quick succession (stations change fast) must still end as asked last.
 */
import { BoardError, type BoardSession } from '../../../board/board';

/** A self-test or reading a model back takes seconds. */
export const PATIENCE_MS = 15_000;
const AGAIN_MS = 200;

const turns = new WeakMap<BoardSession, Promise<unknown>>();

export interface TurnOptions {
  /** Not begun, or not tried again, once it is aborted. */
  readonly signal?: AbortSignal;
  readonly clock: () => number;
  readonly wait: (ms: number) => Promise<void>;
}

export const browserTurns: Pick<TurnOptions, 'clock' | 'wait'> = {
  clock: () => performance.now(),
  wait: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
};

/** Runs `ask` after what was asked of this session before; again while the board is busy. Rejects as `ask` does. */
export function inTurn<T>(session: BoardSession, ask: () => Promise<T>, options: TurnOptions): Promise<T> {
  const before = turns.get(session) ?? Promise.resolve();
  const mine = before.then(() => patiently(ask, options));
  turns.set(
    session,
    mine.catch(() => undefined),
  );
  return mine;
}

async function patiently<T>(ask: () => Promise<T>, { signal, clock, wait }: TurnOptions): Promise<T> {
  const until = clock() + PATIENCE_MS;
  for (;;) {
    if (signal?.aborted) throw new BoardError('cancelled', 'No longer wanted.', { cause: signal.reason });
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof BoardError && error.code === 'busy') || clock() >= until) throw error;
    }
    await wait(AGAIN_MS);
  }
}
