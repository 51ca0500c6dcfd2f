/** The Cortex-M4 of a micro:bit v2 for nrf-chip.ts: tests/c/cortex_m4.c in a process of its own, asked over two pipes. */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { closeSync, existsSync, mkdtempSync, openSync, readSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from './native-program';

const HEADER = '/usr/include/unicorn/unicorn.h';

/** Why there is no Cortex-M4, or null. */
export function missingM4(): string | null {
  if (!existsSync('/usr/bin/gcc')) return 'gcc is not installed';
  return existsSync(HEADER) ? null : 'libunicorn-dev is not installed';
}

/** Compiles the core into `folder`; the path of the program. */
export function buildM4(folder: string): string {
  const program = join(folder, 'cortex_m4');
  execFileSync('gcc', ['-std=c11', '-O2', '-Wall', '-Wextra', '-o', program, 'tests/c/cortex_m4.c', '-lunicorn'], {
    cwd: root,
  });
  return program;
}

/** What the core asks of the chip around it. */
export interface M4Bus {
  /** So many instructions went by. */
  readonly executed: (instructions: number) => void;
  readonly load: (address: number, size: number) => number;
  readonly store: (address: number, value: number, size: number) => void;
  /** Instructions until something else happens, at least one. */
  readonly limit: () => number;
}

/** Thrown when the core met something that it does not survive. */
export class M4Fault extends Error {}

const KIND = { done: 0x64, waits: 0x77, load: 0x6c, store: 0x73, fault: 0x78 } as const;

export class M4Core {
  pendingInterrupts = 0;
  enabledInterrupts = 0;
  interruptsUpdated = false;
  waiting = false;
  /** Per priority, first to last, the interrupts that have it: as rp2040js keeps them. */
  interruptPriorities: number[] = [-1, 0, 0, 0];
  readonly #folder = mkdtempSync(join(tmpdir(), 'mote-m4-'));
  readonly #process: ChildProcess;
  readonly #requests: number;
  readonly #replies: number;
  readonly #reply = new DataView(new ArrayBuffer(20));
  #closed = false;

  /** @param program what `buildM4` made */
  constructor(
    program: string,
    flash: Uint8Array,
    private readonly ramBytes: number,
  ) {
    const path = (name: string): string => join(this.#folder, name);
    execFileSync('mkfifo', [path('requests'), path('replies')]);
    writeFileSync(path('flash'), flash);
    this.#process = spawn(program, [path('requests'), path('replies'), path('flash'), String(ramBytes)], {
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    this.#requests = openSync(path('requests'), 'w');
    this.#replies = openSync(path('replies'), 'r');
  }

  /** Runs until the limit that `bus` gives, or until the core waits for an interrupt. */
  run(bus: M4Bus): void {
    this.#say(0x52, [], bus.limit());
    for (;;) {
      this.#hear(new Uint8Array(this.#reply.buffer));
      const [kind, executed, address, value, size] = [0, 4, 8, 12, 16].map((at) => this.#reply.getUint32(at, true)) as [
        number,
        number,
        number,
        number,
        number,
      ];
      bus.executed(executed);
      switch (kind) {
        case KIND.load:
          this.#say(0x43, [bus.load(address, size)], bus.limit());
          break;
        case KIND.store:
          bus.store(address, value, size);
          this.#say(0x43, [0], bus.limit());
          break;
        case KIND.waits:
          this.waiting = true;
          return;
        case KIND.done:
          return;
        default:
          throw new M4Fault(`Unicorn's error ${value} at ${address.toString(16)}`);
      }
    }
  }

  /** Flash is now this. */
  flashIs(address: number, bytes: Uint8Array): void {
    this.#write(Uint32Array.of(0x46, address, bytes.length));
    writeSync(this.#requests, bytes);
  }

  get ram(): Uint8Array {
    const bytes = new Uint8Array(this.ramBytes);
    this.#write(Uint32Array.of(0x4d));
    this.#hear(bytes);
    return bytes;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#process.kill();
    closeSync(this.#requests);
    closeSync(this.#replies);
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #say(kind: number, values: readonly number[], limit: number): void {
    const priorities = new Uint8Array(32);
    this.interruptPriorities.forEach((bits, priority) => {
      for (let irq = 0; irq < 32; irq++) if ((bits >>> irq) & 1) priorities[irq] = priority;
    });
    const pending = this.pendingInterrupts & this.enabledInterrupts;
    this.#write(Uint32Array.of(kind, ...values, limit, pending, ...new Uint32Array(priorities.buffer)));
  }

  #write(words: Uint32Array): void {
    writeSync(this.#requests, new Uint8Array(words.buffer));
  }

  #hear(into: Uint8Array): void {
    for (let at = 0; at < into.length;) {
      const count = readSync(this.#replies, into, at, into.length - at, null);
      if (count === 0) throw new M4Fault('the core is gone');
      at += count;
    }
  }
}
