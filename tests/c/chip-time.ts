/** The time of an emulated chip, as the studio's sessions take their time: nothing depends on the machine's speed. */
import type { Timing } from '../../src/board/timing';

export interface ChipTime {
  readonly timing: Timing;
  /** Runs the chip until the promise settles. Throws when it has not after `limitMs` simulated milliseconds. */
  readonly until: <T>(promise: Promise<T>, limitMs?: number) => Promise<T>;
  /** Lets the chip and the timers run for so many simulated milliseconds. */
  readonly pause: (ms: number) => Promise<void>;
}

/**
 * @param nowMs simulated milliseconds since power-up
 * @param run lets the chip run for so many simulated milliseconds
 */
export function createChipTime(nowMs: () => number, run: (ms: number) => void): ChipTime {
  const timers = new Set<{ at: number; readonly every: number | null; readonly run: () => void }>();
  const add = (ms: number, every: number | null, work: () => void): (() => void) => {
    const timer = { at: nowMs() + ms, every, run: work };
    timers.add(timer);
    return () => timers.delete(timer);
  };
  function runTimers(): void {
    for (const timer of [...timers]) {
      if (timer.at > nowMs() || !timers.has(timer)) continue;
      if (timer.every === null) timers.delete(timer);
      else timer.at += timer.every;
      timer.run();
    }
  }
  async function until<T>(promise: Promise<T>, limitMs = 30_000): Promise<T> {
    let settled = false;
    const settle = (): void => void (settled = true);
    promise.then(settle, settle);
    for (const end = nowMs() + limitMs; nowMs() < end;) {
      await new Promise((resolve) => setImmediate(resolve));
      if (settled) return promise;
      run(STEP_MS);
      runTimers();
    }
    throw new Error(`Nothing came of it within ${limitMs} ms of the chip's time`);
  }
  const timing: Timing = {
    clock: nowMs,
    timers: {
      after: (ms, work) => add(ms, null, work),
      every: (ms, work) => add(ms, Math.max(1, ms), work),
    },
  };
  return {
    timing,
    until,
    pause: (ms) => until(new Promise<void>((resolve) => void timing.timers.after(ms, resolve))),
  };
}

/** So finely the host's side is served. */
const STEP_MS = 0.5;
