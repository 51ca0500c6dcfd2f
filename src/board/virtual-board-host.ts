/**
 * Where a virtual board runs, as seen by its link: in a worker (browser) or in this very thread (tests, command line).
 * Both speak the messages below.
 */
import type { MotionSettings } from '../signal/motion-generator';
import type { Timing } from './timing';
import { createVirtualBoardCore, VIRTUAL_TICK_MS } from './virtual-board-core';
import type { VirtualBoardCore } from './virtual-board-core';

/** Link to board. */
export type ToVirtualBoard =
  /** Plug in: power up with this flash. Answered by `started` or `failed`. */
  | {
      readonly type: 'power-on';
      readonly wasm: string | WebAssembly.Module;
      readonly image: Uint8Array | null;
      readonly seed: number;
      readonly serial?: string | undefined;
      readonly motion: MotionSettings;
    }
  /** Pull the cable: the board stops at once, in the middle of whatever it does. */
  | { readonly type: 'power-off' }
  | { readonly type: 'reset' }
  | { readonly type: 'bytes'; readonly bytes: Uint8Array }
  | { readonly type: 'motion'; readonly settings: MotionSettings };

/** Board to link. */
export type FromVirtualBoard =
  | { readonly type: 'started' }
  | { readonly type: 'failed'; readonly message: string }
  | { readonly type: 'bytes'; readonly bytes: Uint8Array }
  | { readonly type: 'image'; readonly image: Uint8Array };

export interface VirtualBoardHost {
  post(message: ToVirtualBoard): void;
  terminate(): void;
}

export type StartHost = (onMessage: (message: FromVirtualBoard) => void) => VirtualBoardHost;

/** Carries the messages out, on the given clock and timers. Used by the worker and, in the same thread, by tests. */
export function serveVirtualBoard(
  timing: Timing,
  load: (wasm: string | WebAssembly.Module) => Promise<WebAssembly.Module>,
  send: (message: FromVirtualBoard) => void,
): VirtualBoardHost {
  let core: VirtualBoardCore | null = null;
  let power = 0;
  let stopTicking = (): void => undefined;

  function off(): void {
    power++;
    stopTicking();
    core = null;
  }

  async function on(message: Extract<ToVirtualBoard, { type: 'power-on' }>): Promise<void> {
    off();
    const mine = power;
    const whilePowered =
      <T>(run: (value: T) => void) =>
      (value: T): void => {
        if (mine === power) run(value);
      };
    try {
      const module = await load(message.wasm);
      const started = await createVirtualBoardCore({
        module,
        image: message.image,
        seed: message.seed,
        serial: message.serial,
        clock: timing.clock,
        onBytes: whilePowered((bytes) => send({ type: 'bytes', bytes })),
        onImage: whilePowered((image) => send({ type: 'image', image })),
      });
      if (mine !== power) return;
      started.setMotion(message.motion);
      core = started;
      stopTicking = timing.timers.every(VIRTUAL_TICK_MS, () => core?.tick());
      send({ type: 'started' });
    } catch (error) {
      if (mine === power) send({ type: 'failed', message: error instanceof Error ? error.message : String(error) });
    }
  }

  return {
    post(message) {
      switch (message.type) {
        case 'power-on':
          void on(message);
          return;
        case 'power-off':
          off();
          return;
        case 'reset':
          core?.reset();
          return;
        case 'bytes':
          core?.receive(message.bytes);
          return;
        case 'motion':
          core?.setMotion(message.settings);
          return;
      }
    },
    terminate: off,
  };
}

/** The board in this thread; the wasm is given as a compiled module. */
export function hostInThread(timing: Timing): StartHost {
  return (onMessage) =>
    serveVirtualBoard(
      timing,
      (wasm) =>
        wasm instanceof WebAssembly.Module
          ? Promise.resolve(wasm)
          : Promise.reject(new Error('In this thread the virtual board needs a compiled module.')),
      onMessage,
    );
}

/** The board in a worker of its own: busy pages do not disturb its clock. */
export const hostInWorker: StartHost = (onMessage) => {
  const worker = new Worker(new URL('./virtual-board.worker.ts', import.meta.url), {
    type: 'module',
    name: 'virtual board',
  });
  worker.addEventListener('message', (event: MessageEvent<FromVirtualBoard>) => onMessage(event.data));
  worker.addEventListener('error', (event) => {
    onMessage({ type: 'failed', message: event.message || 'The worker of the virtual board could not be loaded.' });
  });
  return {
    post: (message) => worker.postMessage(message),
    terminate: () => worker.terminate(),
  };
};
