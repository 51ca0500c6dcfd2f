/** Raw REPL and files against real MicroPython: 1.27 with raw paste, and the micro:bit's own 1.9.2 without it (QEMU). */
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { existsSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { BACKUP_FILE, openMicroPythonFiles } from '../../src/board/micropython-files';
import { createRawRepl, type RawRepl } from '../../src/board/raw-repl';
import type { Link } from '../../src/board/link';
import { createSession } from '../../src/board/session';
import { systemTiming } from '../../src/board/timing';
import { emitMainPython, emitSensorPython } from '../../src/emit/micropython/main-python';
import { emitModelPython, TEST_FILE, testFile } from '../../src/emit/micropython/model-python';
import { randomModel } from '../conformance/random-model';
import { MicroPythonPeer } from './micropython-peer.mjs';
import { killQemu, spawnQemu } from './micropython-qemu';

const MICROBIT = '/usr/share/firmware-microbit-micropython/firmware.hex';
const QEMU = '/usr/bin/qemu-system-arm';

const undo: (() => void)[] = [];
afterEach(() => undo.splice(0).forEach((one) => one()));

function bytesOf(length: number, seed = 7): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i * seed + (i >> 3)) & 255);
}

async function wasmBoard(files: Readonly<Record<string, Uint8Array>> = {}) {
  const holder: { repl?: RawRepl } = {};
  const peer = await MicroPythonPeer.start((bytes) => holder.repl?.push(bytes), files);
  const repl = createRawRepl(systemTiming, (bytes) => peer.feed(bytes));
  holder.repl = repl;
  return { repl, peer };
}

/** The firmware that micro:bits are sold with, on an emulated Cortex-M0. */
function bootMicrobit(): ChildProcessWithoutNullStreams {
  const child = spawnQemu(QEMU, [
    ...['-M', 'microbit', '-display', 'none', '-monitor', 'none', '-serial', 'stdio'],
    ...['-device', `loader,file=${MICROBIT}`],
  ]);
  undo.push(() => killQemu(child));
  return child;
}

function microbit(): RawRepl {
  const child = bootMicrobit();
  const repl = createRawRepl(systemTiming, (bytes) => Promise.resolve(void child.stdin.write(bytes)));
  child.stdout.on('data', (bytes: Buffer) => repl.push(Uint8Array.from(bytes)));
  return repl;
}

describe('MicroPython 1.27', () => {
  it('runs programs through raw paste, longer than its window', async () => {
    const { repl } = await wasmBoard();
    expect(await repl.exec(`x = '${'a'.repeat(1000)}'\nprint(len(x), 6 * 7)`)).toBe('1000 42\r\n');
    expect(repl.paste).toBe(true);
  });

  it('tells what a program raised, and goes on', async () => {
    const { repl } = await wasmBoard();
    await expect(repl.exec('def f():\n return 1 / 0\nf()')).rejects.toMatchObject({
      code: 'exception',
      message: expect.stringContaining('ZeroDivisionError') as string,
      traceback: expect.stringContaining('line 2') as string,
    });
    await expect(repl.exec("open('nothing')")).rejects.toMatchObject({ code: 'no-file' });
    expect(await repl.exec('print(1)')).toBe('1\r\n');
  });

  it('writes files of every byte, reads them back and lists them', async () => {
    const { repl, peer } = await wasmBoard();
    const files = await openMicroPythonFiles(repl);
    expect(files.port).toMatchObject({ base64: true, rename: true });
    const content = bytesOf(4097);
    const steps: string[] = [];
    await files.write('data.bin', content, { onProgress: ({ step, done }) => steps.push(`${step} ${done}`) });
    expect(peer.file('data.bin')).toEqual(content);
    expect(await files.read('data.bin')).toEqual(content);
    expect(await files.list()).toEqual([{ name: 'data.bin', bytes: 4097 }]);
    expect(steps.at(-1)).toBe(`verifying ${files.storeBytes('data.bin.new', content)}`);

    await expect(files.write('../evil', content)).rejects.toMatchObject({ code: 'bad-name' });
  });

  it('keeps a main.py of a person until it is told otherwise, keeps a copy, and puts it back', async () => {
    const mine = new TextEncoder().encode('print("mine")\n');
    const ours = new TextEncoder().encode('print("ours")\n');
    const { repl, peer } = await wasmBoard({ 'main.py': mine });
    const files = await openMicroPythonFiles(repl);
    await expect(files.writeMain(ours, false)).rejects.toMatchObject({ code: 'main-exists' });
    expect(peer.file('main.py')).toEqual(mine);
    expect(await files.writeMain(ours, true)).toEqual({ backedUp: true });
    expect(peer.file('main.py')).toEqual(ours);
    expect(peer.file(BACKUP_FILE)).toEqual(mine);
    // Another version of ours must not take the place of the person's copy.
    expect(await files.writeMain(new TextEncoder().encode('print(2)\n'), true)).toEqual({ backedUp: false });
    expect(peer.file(BACKUP_FILE)).toEqual(mine);
    await files.restoreMain();
    expect(peer.file('main.py')).toEqual(mine);
    expect(peer.file(BACKUP_FILE)).toBeNull();
  });

  it('cancels between chunks and leaves the old file', async () => {
    const { repl, peer } = await wasmBoard({ 'a.bin': bytesOf(10) });
    const files = await openMicroPythonFiles(repl);
    const control = new AbortController();
    const writing = files.write('a.bin', bytesOf(8000), {
      signal: control.signal,
      onProgress: ({ done }) => done > 2000 && control.abort(),
    });
    await expect(writing).rejects.toMatchObject({ code: 'cancelled' });
    expect(peer.file('a.bin')).toEqual(bytesOf(10));
    expect(await repl.exec('print(3)')).toBe('3\r\n');
  });

  it('runs main.py after a soft reset', async () => {
    const { repl } = await wasmBoard({ 'main.py': new TextEncoder().encode('open("ran", "w").close()\n') });
    await repl.softReset();
    const files = await openMicroPythonFiles(repl);
    expect((await files.list()).map(({ name }) => name)).toContain('ran');
  });

  it('takes a model over the wire and proves it there', async () => {
    const { repl } = await wasmBoard();
    const files = await openMicroPythonFiles(repl);
    const model = randomModel(4);
    await files.write('model.py', new TextEncoder().encode(emitModelPython(model, 9, [])));
    await files.write(TEST_FILE, testFile(model, 9));
    expect(await repl.exec('import model\nprint(model.networktest(), model.selftest())')).toBe('True 0\r\n');
  }, 240_000);
});

/** A link to a peer that answers by calling `say`. */
function peerLink(open: (say: (bytes: Uint8Array) => void) => Promise<(bytes: Uint8Array) => Promise<void>>): Link {
  let feed: (bytes: Uint8Array) => Promise<void> = () => Promise.resolve();
  return {
    info: { kind: 'test', title: 'Board', usbVendorId: null, usbProductId: null },
    async open(_, events) {
      feed = await open((bytes) => events.onBytes(bytes, systemTiming.clock()));
    },
    write: (bytes) => feed(bytes),
    close: () => Promise.resolve(),
  };
}

describe('a session', () => {
  it('recognises MicroPython at its prompt, writes a file, and leaves the board restarted', async () => {
    const peers: MicroPythonPeer[] = [];
    const link = peerLink(async (say) => {
      const started = await MicroPythonPeer.start(say);
      peers.push(started);
      return (bytes) => started.feed(bytes);
    });
    const session = createSession(link, systemTiming);
    const identity = await session.connect();
    expect(identity).toMatchObject({ dialect: 'micropython', channels: [], slots: [] });
    expect(identity.firmware).toMatch(/^micropython 1\.27\.\d+ on webassembly$/);
    await session.startStream();
    expect(session.state.name).toBe('ready');
    const content = new TextEncoder().encode('open("ran", "w").close()\n');
    await session.useMicroPython(({ files }) => files.writeMain(content, false));
    expect(session.state.name).toBe('ready');
    await expect.poll(() => peers[0]?.file('ran')).not.toBeNull();
    await expect(session.deploy(new Uint8Array(4))).rejects.toMatchObject({ code: 'not-supported' });
    await session.disconnect();
  }, 240_000);
});

describe.skipIf(!existsSync(QEMU) || !existsSync(MICROBIT))(
  'MicroPython 1.9.2 of the micro:bit in QEMU (skipped without qemu-system-arm and firmware-microbit-micropython)',
  () => {
    it('interrupts, falls back to plain raw REPL, writes files and reads them back', async () => {
      const repl = microbit();
      const files = await openMicroPythonFiles(repl);
      expect(repl.paste).toBe(false);
      expect(files.port).toMatchObject({ rename: false });
      const content = bytesOf(6000);
      await files.write('data.bin', content);
      expect(await files.read('data.bin')).toEqual(content);
      expect(await files.list()).toContainEqual({ name: 'data.bin', bytes: 6000 });
      await files.writeMain(new TextEncoder().encode('while True:\n print(1, 2, 3)\n sleep(10)\n'), false);
      await expect(repl.exec('1 / 0')).rejects.toMatchObject({ code: 'exception' });
      await expect(repl.exec("open('nothing')")).rejects.toMatchObject({ code: 'no-file' });
    }, 120_000);

    it('streams as soon as its main.py prints numbers, and can be written to again', async () => {
      const link = peerLink((say) => {
        const child = bootMicrobit();
        child.stdout.on('data', (bytes: Buffer) => say(Uint8Array.from(bytes)));
        return Promise.resolve((bytes) => Promise.resolve(void child.stdin.write(bytes)));
      });
      const session = createSession(link, systemTiming);
      expect(await session.connect()).toMatchObject({ dialect: 'micropython' });
      let frames = 0;
      session.on('samples', (batch) => (frames += batch.frames));
      const main = 'from microbit import *\nprint("a,b,c")\nwhile True:\n print("1,2,3")\n sleep(20)\n';
      await session.useMicroPython(({ files }) => files.writeMain(new TextEncoder().encode(main), false));
      await expect.poll(() => frames, { timeout: 20_000 }).toBeGreaterThan(20);
      expect(session.identity).toMatchObject({
        dialect: 'lines',
        channels: [{ name: 'a' }, { name: 'b' }, { name: 'c' }],
      });
      expect(session.state.name).toBe('streaming');
      const back = await session.useMicroPython(({ files }) => files.read('main.py'));
      expect(new TextDecoder().decode(back)).toBe(main);
      const before = frames;
      await expect.poll(() => frames, { timeout: 20_000 }).toBeGreaterThan(before + 20);
      await session.disconnect();
    }, 120_000);

    it('runs the generated main.py: what it prints is recorded, and the model’s words are no readings', async () => {
      const link = peerLink((say) => {
        const child = bootMicrobit();
        child.stdout.on('data', (bytes: Buffer) => say(Uint8Array.from(bytes)));
        return Promise.resolve((bytes) => Promise.resolve(void child.stdin.write(bytes)));
      });
      const session = createSession(link, systemTiming);
      await session.connect();
      const model = randomModel(5, { channels: 3 });
      const input = { ...model.input, channels: ['x', 'y', 'z'].map((name) => ({ name, unit: 'm/s2' })) };
      // Its 16 KB of RAM hold no whole model.py.
      const standIn =
        "labels = ('rest', 'wave')\nn = 0\ndef reset(): pass\ndef decide(scores): return 1\ndef push(sample):\n" +
        ' global n\n n += 1\n if n % 10 == 0: return [-128, 127]\n';
      const batches: number[] = [];
      session.on('samples', ({ frames, samples }) => batches.push(samples.length / frames));
      const texts: string[] = [];
      session.on('lineStats', (stats) => texts.push(stats.lastText ?? ''));
      await session.useMicroPython(async ({ files }) => {
        const text = new TextEncoder();
        await files.write('model.py', text.encode(standIn));
        await files.write('read_sensor.py', text.encode(emitSensorPython({ ...model, input })));
        await files.writeMain(text.encode(emitMainPython({ ...model, input })), false);
      });
      await expect.poll(() => batches.length, { timeout: 30_000 }).toBeGreaterThan(5);
      expect(session.identity).toMatchObject({
        dialect: 'lines',
        channels: [{ name: 'x' }, { name: 'y' }, { name: 'z' }],
      });
      expect(new Set(batches)).toEqual(new Set([3]));
      await expect.poll(() => texts.join('\n'), { timeout: 10_000 }).toContain('> wave, 99 percent');
      await session.disconnect();
    }, 120_000);
  },
);
