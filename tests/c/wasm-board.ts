/** The virtual board's wasm in this very thread, on a clock that the test moves. */
import { readFileSync } from 'node:fs';
import { MoteClient } from './mote-client';
import { root } from './native-program';

interface Exports {
  readonly memory: WebAssembly.Memory;
  mote_start(): number;
  mote_receive_buffer(): number;
  mote_receive_size(): number;
  mote_receive(count: number): number;
  mote_poll(): void;
  mote_send_buffer(): number;
  mote_send_take(): number;
  mote_sample_rate(): number;
  mote_sample_buffer(): number;
  mote_sample_push(timeUs: number): number;
  mote_sample_values(): number;
  mote_sample_push_values(timeUs: number): number;
  mote_storage(): number;
  mote_storage_size(): number;
  mote_storage_version(): number;
  mote_cut_power_after(operations: number): void;
}

const module = new WebAssembly.Module(readFileSync(`${root}public/virtual-board.wasm`));

export class WasmBoard {
  timeUs = 0;
  /** True: what the board sends stays in its buffer. */
  linkFull = false;
  readonly wasm: Exports;
  readonly client = new MoteClient((bytes) => this.exchange(bytes));

  constructor(image?: Uint8Array) {
    const instance = new WebAssembly.Instance(module, { host: { clock_us: () => (this.timeUs += 3) } });
    this.wasm = instance.exports as unknown as Exports;
    if (image) this.storage().set(image);
    this.start();
  }

  start(): void {
    const code = this.wasm.mote_start();
    if (code !== 0) throw new Error(`mote_start: ${code}`);
    this.client.reader.restart();
    this.client.events = [];
  }

  storage(): Uint8Array {
    return new Uint8Array(this.wasm.memory.buffer, this.wasm.mote_storage(), this.wasm.mote_storage_size());
  }

  exchange(bytes: Uint8Array): Uint8Array {
    const { wasm } = this;
    const said: number[] = [];
    let waiting = bytes;
    do {
      const piece = waiting.subarray(0, wasm.mote_receive_size());
      new Uint8Array(wasm.memory.buffer, wasm.mote_receive_buffer(), piece.length).set(piece);
      waiting = waiting.subarray(wasm.mote_receive(piece.length));
      wasm.mote_poll();
      if (this.linkFull) continue;
      const count = wasm.mote_send_take();
      said.push(...new Uint8Array(wasm.memory.buffer, wasm.mote_send_buffer(), count));
    } while (waiting.length > 0);
    return Uint8Array.from(said);
  }

  /** One frame of raw samples, one int16 per channel. */
  async sample(raw: readonly number[]): Promise<void> {
    new Int16Array(this.wasm.memory.buffer, this.wasm.mote_sample_buffer(), 6).set(raw);
    this.timeUs += 10_000;
    if (this.wasm.mote_sample_push(this.timeUs) !== 1) throw new Error('The sensor queue is full');
    await this.client.idle();
  }
}
