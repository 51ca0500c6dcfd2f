/**
 * The link to a virtual board: real protocol bytes, no cable. `unplug` cuts its power in the middle of whatever it
 * does; its flash lives on, also across reloads when a storage is given.
 */
import { MotionGenerator } from '../signal/motion-generator';
import type { MotionSettings } from '../signal/motion-generator';
import type { MotionControl } from './board';
import { deployPack } from './deploy';
import { LinkError } from './link';
import type { Link, LinkEvents } from './link';
import { createMoteDialect } from './mote-dialect';
import { systemTiming, withTimeout } from './timing';
import type { Timing } from './timing';
import { hostInWorker } from './virtual-board-host';
import type { FromVirtualBoard, StartHost, VirtualBoardHost } from './virtual-board-host';

/** Loading and compiling the wasm; far more than it takes. */
export const POWER_ON_TIMEOUT_MS = 15_000;

/** Where the flash of a virtual board is kept between reloads. */
export interface VirtualBoardStorage {
  load(): Promise<Uint8Array | null>;
  /** Called after every change of the flash; only the newest counts. */
  save(image: Uint8Array): Promise<void>;
}

export interface VirtualLinkOptions {
  /** Address of `virtual-board.wasm`, absolute, or the compiled module. */
  readonly wasm: string | WebAssembly.Module;
  readonly storage?: VirtualBoardStorage;
  /** A model that a board fresh from the factory already runs. Installed at the first power-up. */
  readonly factoryPack?: Uint8Array;
  /** Seeds the motion; default 1. */
  readonly seed?: number;
  /** Up to 16 hex digits, to tell several virtual boards apart. */
  readonly serial?: string;
  /** Default: "Virtual board". */
  readonly title?: string;
  /** Default: a worker. */
  readonly startHost?: StartHost;
  readonly timing?: Timing;
}

export interface VirtualLink extends Link {
  readonly generator: MotionControl;
  /** Pulls the cable: the board loses power at this very moment. */
  unplug(): void;
  /** Plugs it in again. */
  replug(): void;
  /** Presses the reset button: the link stays, the board starts anew. */
  pressReset(): void;
  /** Ends the worker. The link cannot be opened any more. */
  dispose(): void;
}

export function createVirtualLink(options: VirtualLinkOptions): VirtualLink {
  const timing = options.timing ?? systemTiming;
  const title = options.title ?? 'Virtual board';
  const returned = new Set<() => void>();
  let motion: MotionSettings = {};
  let host: VirtualBoardHost | null = null;
  let image: Uint8Array | null = null;
  let loaded = false;
  let pluggedIn = true;
  let powered: Promise<void> | null = null;
  let disposed = false;
  let events: LinkEvents | null = null;
  /** Takes the bytes instead of the link while the factory model is installed. */
  let tap: ((bytes: Uint8Array) => void) | null = null;
  let onPower: { readonly resolve: () => void; readonly reject: (error: Error) => void } | null = null;
  let saving: Promise<void> = Promise.resolve();

  function take(message: FromVirtualBoard): void {
    switch (message.type) {
      case 'started':
        onPower?.resolve();
        return;
      case 'failed': {
        const error = new LinkError('open-failed', `The virtual board does not start: ${message.message}`);
        onPower?.reject(error);
        powered = null;
        lose(error);
        return;
      }
      case 'bytes':
        if (tap) tap(message.bytes);
        else events?.onBytes(message.bytes, timing.clock());
        return;
      case 'image':
        image = message.image;
        keep(message.image);
        return;
    }
  }

  /** One save at a time; a failed one is made good by the next. */
  function keep(newest: Uint8Array): void {
    const { storage } = options;
    if (!storage) return;
    saving = saving.then(async () => {
      if (image === newest) await storage.save(newest);
    });
    saving = saving.catch(() => undefined);
  }

  function lose(error: LinkError): void {
    const lost = events;
    events = null;
    lost?.onLost(error);
  }

  async function powerOn(): Promise<void> {
    if (!loaded) {
      image = (await options.storage?.load().catch(() => null)) ?? null;
      loaded = true;
    }
    host ??= (options.startHost ?? hostInWorker)(take);
    const isNew = image === null;
    const started = new Promise<void>((resolve, reject) => {
      onPower = { resolve, reject };
    });
    host.post({
      type: 'power-on',
      wasm: options.wasm,
      image,
      seed: options.seed ?? 1,
      serial: options.serial,
      motion,
    });
    await withTimeout(
      timing.timers,
      POWER_ON_TIMEOUT_MS,
      started,
      () =>
        new LinkError('open-failed', `${title} did not start within ${POWER_ON_TIMEOUT_MS / 1000} s. Reload the page.`),
    );
    if (isNew && options.factoryPack) await installFactoryModel(options.factoryPack);
  }

  /** Over the real protocol, like any other model. A board that refuses it is a board without a model. */
  async function installFactoryModel(pack: Uint8Array): Promise<void> {
    const dialect = createMoteDialect(timing, {
      send: (bytes) => {
        host?.post({ type: 'bytes', bytes });
        return Promise.resolve();
      },
      onSamples: () => undefined,
      onResult: () => undefined,
    });
    tap = (bytes) => dialect.push(bytes, timing.clock());
    try {
      await dialect.hello();
      await deployPack(dialect, { name: title, modelRamBytes: null }, pack, { clock: timing.clock });
    } catch {
      // Deploying this model by hand will say what is wrong with it.
    } finally {
      tap = null;
    }
  }

  return {
    info: { kind: 'virtual', title, usbVendorId: null, usbProductId: null },

    generator: {
      gestures: MotionGenerator.gestures,
      set(settings) {
        // The worker could not throw to the caller.
        new MotionGenerator({ seed: 1, rateHz: 100 }).set(settings);
        motion = { ...motion, ...settings };
        host?.post({ type: 'motion', settings });
      },
    },

    async open(_options, given) {
      if (disposed) throw new LinkError('closed', `${title} was switched off. Start it again.`);
      if (events) throw new LinkError('busy', `${title} is already open.`);
      if (!pluggedIn) throw new LinkError('disconnected', `${title} is unplugged. Plug it in to go on.`);
      powered ??= powerOn();
      const power = powered;
      try {
        await power;
      } catch (error) {
        if (powered === power) powered = null;
        throw error;
      }
      if (powered !== power)
        throw new LinkError('disconnected', `${title} was unplugged while it started. Plug it in again to go on.`);
      events = given;
    },

    // eslint-disable-next-line @typescript-eslint/require-await -- rejects, never throws
    async write(bytes) {
      if (!events || !host) throw new LinkError('closed', `${title} is not open. Connect it first.`);
      host.post({ type: 'bytes', bytes });
    },

    onReturn(listener) {
      const mine = (): void => listener();
      returned.add(mine);
      return () => returned.delete(mine);
    },

    close() {
      events = null;
      return Promise.resolve();
    },

    unplug() {
      if (!pluggedIn) return;
      pluggedIn = false;
      powered = null;
      onPower?.reject(
        new LinkError('disconnected', `${title} was unplugged while it started. Plug it in again to go on.`),
      );
      host?.post({ type: 'power-off' });
      lose(new LinkError('disconnected', `${title} was unplugged. Plug it in again to go on.`));
    },

    replug() {
      if (pluggedIn) return;
      pluggedIn = true;
      for (const listener of [...returned]) listener();
    },

    pressReset() {
      host?.post({ type: 'reset' });
    },

    dispose() {
      disposed = true;
      powered = null;
      lose(new LinkError('closed', `${title} was switched off.`));
      host?.terminate();
      host = null;
    },
  };
}
