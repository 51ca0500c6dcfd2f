import { expect, test } from 'vitest';
import { BoardError, type BoardSession } from '../../../board/board';
import { inTurn, PATIENCE_MS } from './board-turns';

/** Refuses a second command while one is under way, as a session does; `asked` is what it did. */
function fakeBoard() {
  let running = false;
  const asked: boolean[] = [];
  return {
    asked,
    session: {} as BoardSession,
    async set(on: boolean) {
      if (running) throw new BoardError('busy', 'busy');
      running = true;
      await Promise.resolve();
      asked.push(on);
      running = false;
    },
  };
}

function fakeTime() {
  let now = 0;
  return {
    clock: () => now,
    wait: (ms: number) => {
      now += ms;
      return Promise.resolve();
    },
  };
}

test('start, stop and start at once end in the order asked', async () => {
  const board = fakeBoard();
  const time = fakeTime();
  await Promise.all([true, false, true].map((on) => inTurn(board.session, () => board.set(on), time)));
  expect(board.asked).toEqual([true, false, true]);
});

test('waits while the board does something else, but not for ever', async () => {
  const time = fakeTime();
  let refusals = 3;
  const answer = inTurn(
    {} as BoardSession,
    () => (refusals-- > 0 ? Promise.reject(new BoardError('busy', 'self-test')) : Promise.resolve('done')),
    time,
  );
  expect(await answer).toBe('done');
  const never = inTurn({} as BoardSession, () => Promise.reject(new BoardError('busy', 'stuck')), time);
  await expect(never).rejects.toMatchObject({ code: 'busy' });
  expect(time.clock()).toBeGreaterThanOrEqual(PATIENCE_MS);
});

test('other failures come through at once and do not hold up the next; what is aborted is not begun', async () => {
  const time = fakeTime();
  const session = {} as BoardSession;
  const failed = inTurn(session, () => Promise.reject(new BoardError('no-model', 'none')), time);
  const aborted = new AbortController();
  aborted.abort();
  let begun = false;
  const unwanted = inTurn(session, () => Promise.resolve((begun = true)), { ...time, signal: aborted.signal });
  const next = inTurn(session, () => Promise.resolve(7), time);
  await expect(failed).rejects.toMatchObject({ code: 'no-model' });
  await expect(unwanted).rejects.toMatchObject({ code: 'cancelled' });
  expect([await next, begun, time.clock()]).toEqual([7, false, 0]);
});
