/** A micro:bit v1 in QEMU with our firmware: its serial port as a link, its flash as bytes that survive a power cut. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { LinkError, type Link, type LinkEvents } from '../../src/board/link';
import { readHex } from '../../src/emit/microbit-hex';
import { MoteClient } from './mote-client';
import { root } from './native-program';

/** What is missing to run the emulator, or null. */
export const missingEmulator =
  spawnSync('qemu-system-arm', ['--version'], { stdio: 'ignore' }).status === 0 ? null : 'qemu-system-arm is missing';

export const FLASH_BYTES = 0x40000;
export const RAM_BYTES = 0x4000;

/** Records of a universal hex that the interface chip of a v1 ignores: its type stands in characters 7 and 8. */
const isOfUniversalHex = (line: string): boolean => parseInt(line.slice(7, 9), 16) > 5;

/** The flash of a fresh chip with a .hex, plain or universal, dragged onto its drive. */
export function flashOfHex(hex: string): Uint8Array {
  const flash = new Uint8Array(FLASH_BYTES).fill(0xff);
  const plain = hex.split('\n').filter((line) => !isOfUniversalHex(line));
  for (const [address, bytes] of readHex(plain.join('\n'))) flash.set(bytes, address);
  return flash;
}

export const firmwareHex = (version: 1 | 2): string =>
  readFileSync(join(root, `public/firmware/microbit-v${version}.hex`), 'utf8');

export interface MicrobitBoard {
  readonly link: Link;
  readonly client: MoteClient;
  readonly child: ChildProcess;
  /** Stops the chip where it stands and takes its flash: a power cut. */
  cutPower(): Promise<Uint8Array>;
  /** RAM as it is now, 16 KB. */
  readRam(): Promise<Uint8Array>;
  kill(): Promise<void>;
}

const QMP_TRIES = 200;

/** One command at a time on QEMU's control socket. */
async function openControl(path: string): Promise<(command: string, args?: object) => Promise<void>> {
  let socket: Socket | null = null;
  for (let i = 0; socket === null; i++) {
    socket = await new Promise<Socket | null>((resolve) => {
      const opening = connect(path, () => resolve(opening));
      opening.on('error', () => resolve(null));
    });
    if (socket === null) {
      if (i === QMP_TRIES) throw new Error('QEMU opened no control socket');
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
  const answers: ((line: string) => void)[] = [];
  let text = '';
  socket.on('data', (bytes: Buffer) => {
    text += bytes.toString();
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n')) {
      const line = text.slice(0, end);
      text = text.slice(end + 1);
      if (/^\{"(return|error)"/.test(line)) answers.shift()?.(line);
    }
  });
  const opened = socket;
  const command = async (execute: string, args?: object): Promise<void> => {
    const answer = new Promise<string>((resolve, reject) => {
      answers.push(resolve);
      opened.once('close', () => reject(new Error('QEMU ended')));
    });
    opened.write(`${JSON.stringify({ execute, ...(args ? { arguments: args } : {}) })}\n`);
    const line = await answer;
    if (line.startsWith('{"error"')) throw new Error(`QEMU: ${line}`);
  };
  await command('qmp_capabilities');
  return command;
}

let started = 0;

/** Powers a board up with this flash. `folder` takes scratch files. */
export async function startMicrobit(flash: Uint8Array, folder: string): Promise<MicrobitBoard> {
  const scratch = join(folder, `microbit-${process.pid}-${started++}`);
  writeFileSync(`${scratch}.bin`, flash);
  const child = spawn(
    'qemu-system-arm',
    [
      ...['-M', 'microbit', '-display', 'none', '-monitor', 'none', '-serial', 'stdio'],
      ...['-qmp', `unix:${scratch}.qmp,server=on,wait=off`],
      ...['-device', `loader,file=${scratch}.bin,addr=0,force-raw=on`],
    ],
    { stdio: ['pipe', 'pipe', 'ignore'] },
  );
  child.stdin.on('error', () => undefined);
  const ended = new Promise<void>((resolve) => child.on('exit', () => resolve()));
  const control = await openControl(`${scratch}.qmp`);

  let events: LinkEvents | null = null;
  let said = Buffer.alloc(0);
  child.stdout.on('data', (bytes: Buffer) => {
    if (events) events.onBytes(Uint8Array.from(bytes), performance.now());
    else said = Buffer.concat([said, bytes]);
  });
  child.on('exit', () => events?.onLost(new LinkError('disconnected', 'The emulator ended.')));
  const link: Link = {
    info: { kind: 'test', title: 'micro:bit in QEMU', usbVendorId: 0x0d28, usbProductId: 0x0204 },
    open: (_, wanted) => {
      events = wanted;
      return Promise.resolve();
    },
    write: (bytes) =>
      new Promise((resolve, reject) => {
        child.stdin.write(bytes, (error) => (error ? reject(new LinkError('disconnected', 'Gone.')) : resolve()));
      }),
    close: () => {
      events = null;
      return Promise.resolve();
    },
  };
  const client = new MoteClient(async (bytes) => {
    if (child.exitCode !== null || child.signalCode !== null) throw new Error('The board is gone');
    if (bytes.length > 0) child.stdin.write(bytes);
    await new Promise((resolve) => setTimeout(resolve, 2));
    const taken = Uint8Array.from(said);
    said = Buffer.alloc(0);
    return taken;
  });
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL');
    await ended;
  };
  return {
    link,
    client,
    child,
    kill,
    readRam: async () => {
      await control('memsave', { val: 0x20000000, size: RAM_BYTES, filename: `${scratch}.ram` });
      return Uint8Array.from(readFileSync(`${scratch}.ram`));
    },
    cutPower: async () => {
      await control('stop');
      // By the CPU's addresses: the machine's own bus, which pmemsave reads, is empty.
      await control('memsave', { val: 0, size: FLASH_BYTES, filename: `${scratch}.dump` });
      await kill();
      return Uint8Array.from(readFileSync(`${scratch}.dump`));
    },
  };
}
