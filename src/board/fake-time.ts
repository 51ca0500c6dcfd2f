/** A clock and timers that tests move by hand. */
import type { Cancel, Timing } from './timing';

export interface FakeTime extends Timing {
  /** Moves time on, running what is due in order; promises settle in between. */
  advance(ms: number): Promise<void>;
  /** Moves time on until the promise settles; rejects when it has not after `limitMs`. */
  until<T>(promise: Promise<T>, limitMs?: number): Promise<T>;
  /** Timers that wait. */
  readonly waiting: number;
}

interface Timer {
  at: number;
  readonly order: number;
  readonly every: number | null;
  readonly run: () => void;
}

export function createFakeTime(startMs = 1000): FakeTime {
  let now = startMs;
  let order = 0;
  const timers = new Set<Timer>();

  function add(ms: number, every: number | null, run: () => void): Cancel {
    const timer: Timer = { at: now + Math.max(0, ms), order: order++, every, run };
    timers.add(timer);
    return () => timers.delete(timer);
  }

  function next(end: number): Timer | null {
    let first: Timer | null = null;
    for (const timer of timers) {
      if (timer.at > end) continue;
      if (!first || timer.at < first.at || (timer.at === first.at && timer.order < first.order)) first = timer;
    }
    return first;
  }

  function run(timer: Timer): void {
    now = Math.max(now, timer.at);
    if (timer.every === null) timers.delete(timer);
    else timer.at += timer.every;
    timer.run();
  }

  async function advance(ms: number): Promise<void> {
    const end = now + ms;
    await settle();
    for (let timer = next(end); timer; timer = next(end)) {
      run(timer);
      await settle();
    }
    now = end;
  }

  return {
    clock: () => now,
    timers: {
      after: (ms, runOnce) => add(ms, null, runOnce),
      every: (ms, runEach) => add(ms, Math.max(1, ms), runEach),
    },
    advance,
    async until(promise, limitMs = 120_000) {
      const end = now + limitMs;
      let done = false;
      const finished = promise.then(
        () => (done = true),
        () => (done = true),
      );
      void finished;
      await settle();
      while (!done) {
        const timer = next(end);
        if (timer) run(timer);
        else if (now < end && timers.size > 0) now = end;
        else throw new Error(`Nothing happened within ${limitMs} ms of fake time.`);
        await settle();
      }
      return promise;
    },
    get waiting() {
      return timers.size;
    },
  };
}

/** Lets promises, streams and message ports get on: one turn of the real event loop. */
function settle(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}
