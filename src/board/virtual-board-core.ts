/**
 * The virtual board: the firmware as WebAssembly (`firmware/boards/virtual/virtual.c`) with a motion generator as its
 * sensor. Runs anywhere; the worker gives it real time, tests give it a clock of their own.
 */
import { MotionGenerator } from '../signal/motion-generator';
import type { MotionSettings } from '../signal/motion-generator';
import type { Clock } from './timing';

/** What `virtual.c` exports; meanings are documented there. */
interface VirtualBoardExports {
  readonly memory: WebAssembly.Memory;
  mote_start(): number;
  mote_receive_buffer(): number;
  mote_receive_size(): number;
  mote_receive(count: number): number;
  mote_poll(): void;
  mote_send_buffer(): number;
  mote_send_take(): number;
  mote_sample_rate(): number;
  mote_sample_values(): number;
  mote_sample_push_values(timeUs: number): number;
  mote_storage(): number;
  mote_storage_size(): number;
  mote_storage_version(): number;
  mote_cut_power_after(operations: number): void;
  mote_set_serial(index: number, character: number): void;
}

const FUNCTIONS = [
  'mote_start',
  'mote_receive_buffer',
  'mote_receive_size',
  'mote_receive',
  'mote_poll',
  'mote_send_buffer',
  'mote_send_take',
  'mote_sample_rate',
  'mote_sample_values',
  'mote_sample_push_values',
  'mote_storage',
  'mote_storage_size',
  'mote_storage_version',
  'mote_cut_power_after',
  'mote_set_serial',
] as const satisfies readonly (keyof VirtualBoardExports)[];

/** The board is run this often. */
export const VIRTUAL_TICK_MS = 10;
/** After a pause (a busy or sleeping computer) so much is caught up; what is older was never sampled. */
const MAX_CATCH_UP_MS = 60_000;
/** Firmware work per run: enough for any queue of requests. */
const MAX_POLLS = 64;
const SERIAL_DIGITS = 16;
/** What a UART receives between two looks of the program; keeps replies flowing between requests. */
const RECEIVE_PIECE = 1024;

export interface VirtualBoardOptions {
  readonly module: WebAssembly.Module;
  /** The flash as it was, or null for a board fresh from the factory. Of another size (other firmware): ignored. */
  readonly image: Uint8Array | null;
  /** Seeds the motion. */
  readonly seed: number;
  /** Up to 16 hex digits: which of several virtual boards this is. */
  readonly serial?: string | undefined;
  readonly clock: Clock;
  readonly onBytes: (bytes: Uint8Array<ArrayBuffer>) => void;
  /** The flash changed: keep this copy for the next start. */
  readonly onImage: (image: Uint8Array<ArrayBuffer>) => void;
}

export interface VirtualBoardCore {
  readonly gestures: readonly string[];
  /** Bytes from the host. */
  receive(bytes: Uint8Array): void;
  /** Gives the board the samples that are due and lets it work. Call every `VIRTUAL_TICK_MS`. */
  tick(): void;
  setMotion(settings: MotionSettings): void;
  /** Presses the reset button. */
  reset(): void;
  /** Tests: the flash fails in the middle of the operation after `operations` more, as in a power cut. */
  cutPowerAfter(operations: number): void;
  /** A copy of the flash. */
  image(): Uint8Array<ArrayBuffer>;
}

export async function createVirtualBoardCore(options: VirtualBoardOptions): Promise<VirtualBoardCore> {
  const { clock, onBytes, onImage } = options;
  const poweredAt = clock();
  const nowUs = (): number => Math.max(0, (clock() - poweredAt) * 1000);
  const instance = await WebAssembly.instantiate(options.module, { host: { clock_us: nowUs } });
  const wasm = exportsOf(instance);

  let settings: MotionSettings = {};
  let generator: MotionGenerator | null = null;
  let generatorRate = 0;
  let nextSampleUs = 0;
  let savedVersion = 0;
  let waiting: Uint8Array = new Uint8Array();

  // Views are made anew for each access: growing memory would detach them.
  const bytesAt = (address: number, count: number): Uint8Array<ArrayBuffer> =>
    new Uint8Array(wasm.memory.buffer, address, count);

  const storageSize = wasm.mote_storage_size();
  const storage = (): Uint8Array<ArrayBuffer> => bytesAt(wasm.mote_storage(), storageSize);

  function start(): void {
    const code = wasm.mote_start();
    if (code !== 0) throw new Error(`The virtual board's firmware did not start (code ${code}).`);
    generatorRate = 0;
    waiting = new Uint8Array();
    saveWhenChanged();
  }

  function saveWhenChanged(): void {
    const version = wasm.mote_storage_version();
    if (version === savedVersion) return;
    savedVersion = version;
    onImage(storage().slice());
  }

  function drain(): boolean {
    const count = wasm.mote_send_take();
    if (count === 0) return false;
    onBytes(bytesAt(wasm.mote_send_buffer(), count).slice());
    return true;
  }

  function work(): void {
    for (let round = 0; round < MAX_POLLS; round++) {
      if (waiting.length > 0) {
        const piece = waiting.subarray(0, Math.min(wasm.mote_receive_size(), RECEIVE_PIECE));
        bytesAt(wasm.mote_receive_buffer(), piece.length).set(piece);
        waiting = waiting.subarray(wasm.mote_receive(piece.length));
      }
      wasm.mote_poll();
      const sent = drain();
      if (!sent && waiting.length === 0) break;
    }
    saveWhenChanged();
  }

  function sample(): void {
    const rate = wasm.mote_sample_rate() / 1000;
    if (rate === 0) {
      generatorRate = 0;
      return;
    }
    const now = nowUs();
    if (rate !== generatorRate) {
      generatorRate = rate;
      if (generator?.rateHz !== rate) {
        generator = new MotionGenerator({ seed: options.seed, rateHz: rate });
        generator.set(settings);
      }
      nextSampleUs = now;
    }
    const period = 1e6 / rate;
    if (now - nextSampleUs > MAX_CATCH_UP_MS * 1000) nextSampleUs = now - MAX_CATCH_UP_MS * 1000;
    let fresh = 0;
    while (nextSampleUs <= now) {
      generator?.next(new Float32Array(wasm.memory.buffer, wasm.mote_sample_values(), 6));
      wasm.mote_sample_push_values(nextSampleUs);
      nextSampleUs += period;
      // The sensor's queue is short: let the firmware take what is there.
      if (++fresh % 16 === 0) work();
    }
  }

  if (options.image?.length === storageSize) storage().set(options.image);
  const serial = options.serial ?? '';
  if (serial !== '' && !/^[0-9a-f]{1,16}$/i.test(serial)) throw new Error(`“${serial}” is no serial number (hex).`);
  [...serial.padStart(serial === '' ? 0 : SERIAL_DIGITS, '0')].forEach((digit, i) =>
    wasm.mote_set_serial(i, digit.charCodeAt(0)),
  );
  start();

  return {
    gestures: MotionGenerator.gestures,
    receive(bytes) {
      if (waiting.length === 0) waiting = bytes;
      else {
        const both = new Uint8Array(waiting.length + bytes.length);
        both.set(waiting);
        both.set(bytes, waiting.length);
        waiting = both;
      }
      work();
    },
    tick() {
      sample();
      work();
    },
    setMotion(changes) {
      // A setting that the generator refuses is refused here, before it is remembered.
      (generator ?? new MotionGenerator({ seed: options.seed, rateHz: 100 })).set(changes);
      settings = { ...settings, ...changes };
    },
    reset: start,
    cutPowerAfter: (operations) => wasm.mote_cut_power_after(operations),
    image: () => storage().slice(),
  };
}

function exportsOf(instance: WebAssembly.Instance): VirtualBoardExports {
  const { exports } = instance;
  const missing = FUNCTIONS.filter((name) => typeof exports[name] !== 'function');
  if (!(exports['memory'] instanceof WebAssembly.Memory)) missing.push('memory' as never);
  if (missing.length > 0) throw new Error(`virtual-board.wasm is of another version: ${missing.join(', ')} missing.`);
  return exports as unknown as VirtualBoardExports;
}
