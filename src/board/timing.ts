/**
 * Time as the board room sees it: a clock and timers that are passed in, so that every wait can be tested without
 * waiting.
 */

/** Milliseconds on a monotonic clock. */
export type Clock = () => number;

/** Stops a timer; harmless when it already ran. */
export type Cancel = () => void;

export interface Timers {
  /** Runs once after `ms` milliseconds. */
  after(ms: number, run: () => void): Cancel;
  /** Runs every `ms` milliseconds. */
  every(ms: number, run: () => void): Cancel;
}

export interface Timing {
  readonly clock: Clock;
  readonly timers: Timers;
}

/** The platform's own clock and timers: for browsers, workers and Node. */
export const systemTiming: Timing = {
  clock: () => performance.now(),
  timers: {
    after(ms, run) {
      const id = setTimeout(run, ms);
      return () => clearTimeout(id);
    },
    every(ms, run) {
      const id = setInterval(run, ms);
      return () => clearInterval(id);
    },
  },
};

/** Resolves after `ms`; rejects with the signal's reason when it is aborted first. */
export function wait(timers: Timers, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(asError(signal.reason));
      return;
    }
    const cancel = timers.after(ms, () => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    });
    const onAbort = (): void => {
      cancel();
      reject(asError(signal?.reason));
    };
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

/** Settles as `promise` does, or rejects with `onTimeout()` after `ms`. The promise itself is not cancelled. */
export function withTimeout<T>(timers: Timers, ms: number, promise: Promise<T>, onTimeout: () => Error): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancel = timers.after(ms, () => reject(onTimeout()));
    promise.then(
      (value) => {
        cancel();
        resolve(value);
      },
      (error: unknown) => {
        cancel();
        reject(asError(error));
      },
    );
  });
}

/** What was thrown, as an Error: libraries at the edge also throw strings. */
export function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}
