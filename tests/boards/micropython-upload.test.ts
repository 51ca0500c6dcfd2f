/** The upload as a transaction, against real MicroPython (WebAssembly): room, cancelling, cables pulled, power cut. */
import { killQemu, spawnQemu } from './micropython-qemu';
import { existsSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import type { MicroPythonAccess } from '../../src/board/board';
import { createFakeTime } from '../fixtures/fake-time';
import type { MicroPythonError } from '../../src/board/micropython-error';
import { BACKUP_FILE, openMicroPythonFiles } from '../../src/board/micropython-files';
import {
  modelOnBoard,
  recoverUpload,
  uploadFiles,
  type Upload,
  type UploadOptions,
} from '../../src/board/micropython-upload';
import { createRawRepl, type RawRepl } from '../../src/board/raw-repl';
import { systemTiming } from '../../src/board/timing';
import { SWITCH_PYTHON } from '../../src/emit/micropython/switch-python';
import { MicroPythonPeer } from './micropython-peer.mjs';

const MICROBIT = '/usr/share/firmware-microbit-micropython/firmware.hex';
const QEMU = '/usr/bin/qemu-system-arm';

const undo: (() => void)[] = [];
afterEach(() => undo.splice(0).forEach((one) => one()));

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const OURS = '# ours';

/** A main.py that finishes a switch, as the generated one does, and tells which model it runs. */
function mainOf(version: string): Uint8Array {
  return utf8(
    [
      `${OURS} ${version}`,
      'try:',
      ...SWITCH_PYTHON.map((line) => ` ${line}`),
      'except Exception:',
      ' pass',
      'import model',
      "print('runs', model.VERSION, open('model_test.bin').read())",
    ].join('\n'),
  );
}

/** A whole set of files, small: every byte of its upload is a place for a cut. */
function setOf(version: string): Record<string, Uint8Array> {
  return {
    'model.py': utf8(`VERSION = '${version}'\n`),
    'model_test.bin': utf8(version),
    'model.tflite': utf8(`tflite of ${version}`),
    'model.h': utf8(`header of ${version}`),
    'main.py': mainOf(version),
  };
}

function uploadOf(version: string, replace = true): Upload {
  const files = setOf(version);
  const file = (name: string) => ({ name, content: files[name] as Uint8Array });
  return {
    required: [file('model.py'), file('model_test.bin')],
    main: {
      content: files['main.py'] as Uint8Array,
      replace,
      isOurs: (content) => new TextDecoder().decode(content).startsWith(OURS),
    },
    absent: [],
    extras: [file('model.tflite'), file('model.h')],
  };
}

const OLD = setOf('old');
const NEW = setOf('new');

const sorted = (files: Iterable<[string, Uint8Array]>): [string, string][] =>
  [...files]
    .map(([name, bytes]): [string, string] => [name, Buffer.from(bytes).toString('latin1')])
    .sort(([a], [b]) => (a < b ? -1 : 1));

/** Which set of files is on the board, the whole of it and nothing else; `mixed` when none is. */
function setOn(peer: MicroPythonPeer): 'old' | 'new' | 'mixed' {
  const tree = JSON.stringify(sorted(peer.tree));
  if (tree === JSON.stringify(sorted(Object.entries(OLD)))) return 'old';
  return tree === JSON.stringify(sorted(Object.entries(NEW))) ? 'new' : 'mixed';
}

async function board(
  files: Readonly<Record<string, Uint8Array>> = {},
  options: { readonly free?: number; readonly fat?: boolean } = {},
) {
  const holder: { repl?: RawRepl } = {};
  const peer = await MicroPythonPeer.start((bytes) => holder.repl?.push(bytes), files, options);
  const repl = createRawRepl(systemTiming, (bytes) => peer.feed(bytes));
  holder.repl = repl;
  return { peer, repl, access: await accessTo(repl) };
}

async function accessTo(repl: RawRepl): Promise<MicroPythonAccess> {
  return {
    files: await openMicroPythonFiles(repl),
    run: (source, options) => repl.exec(source, options),
    clear: (signal) => repl.clear(signal),
  };
}

describe('an upload', () => {
  it('puts all files in place at once, after the board proved the new ones and not the former', async () => {
    const { peer, repl, access } = await board(OLD);
    let during: unknown = null;
    const report = await uploadFiles(access, uploadOf('new'), {
      prove: async () => {
        during = sorted([...peer.tree].filter(([path]) => !path.includes('/')));
        return (await repl.exec('import model\nprint(model.VERSION, open("model_test.bin").read())')) === 'new new\r\n';
      },
    });
    expect(during).toEqual(sorted(Object.entries(OLD)));
    expect(report).toMatchObject({ atOnce: true, recovered: 'clean' });
    expect(report.files.map(({ name, fate }) => `${name} ${fate}`)).toEqual([
      'model.py written',
      'model_test.bin written',
      'main.py written',
      'model.tflite written',
      'model.h written',
    ]);
    expect(setOn(peer)).toBe('new');
    expect(await peer.powerUp()).toContain('runs new new');
  });

  it('keeps the former files when the board computes something else', async () => {
    const { peer, access } = await board(OLD);
    const failed = uploadFiles(access, uploadOf('new'), { prove: () => Promise.resolve(false) });
    await expect(failed).rejects.toMatchObject({ code: 'self-test', filesLeft: 'former' });
    expect(setOn(peer)).toBe('old');
  });

  it('asks before it replaces a main.py, copies it on the board, and leaves a changed copy of ours alone', async () => {
    const mine = utf8('print("mine")\n');
    const { peer, access } = await board({ 'main.py': mine, 'read_sensor.py': utf8('edited') });
    const upload = (replace: boolean): Upload => ({
      ...uploadOf('new', replace),
      absent: [{ name: 'read_sensor.py', content: utf8('fresh') }],
    });
    await expect(uploadFiles(access, upload(false))).rejects.toMatchObject({
      code: 'main-exists',
      filesLeft: 'former',
    });
    expect([...peer.tree.keys()]).toEqual(['main.py', 'read_sensor.py']);
    const report = await uploadFiles(access, upload(true));
    expect(report.files).toContainEqual({ name: BACKUP_FILE, bytes: mine.length, fate: 'backup' });
    expect(report.files).toContainEqual({ name: 'read_sensor.py', bytes: 6, fate: 'kept' });
    expect(peer.file(BACKUP_FILE)).toEqual(mine);
    expect(peer.file('read_sensor.py')).toEqual(utf8('edited'));
    expect(peer.file('main.py')).toEqual(NEW['main.py']);
  });

  it('says what is needed and what is free before it writes anything', async () => {
    const { peer, access } = await board(OLD, { free: 3000 });
    const failed = uploadFiles(access, uploadOf('new'));
    // Three files in blocks of 512 and four blocks for the file system's own tables.
    await expect(failed).rejects.toMatchObject({
      code: 'no-space',
      filesLeft: 'former',
      message: expect.stringMatching(
        /need 3584 bytes on the board, and 2560 bytes are free\. Nothing was changed/,
      ) as string,
    });
    expect(setOn(peer)).toBe('old');
  });

  it('leaves out what does not fit, removes what would belong to the former model, and says so', async () => {
    const { peer, access } = await board(OLD, { free: 4096 });
    const report = await uploadFiles(access, uploadOf('new'));
    expect(report.files.filter(({ fate }) => fate !== 'written')).toEqual([
      { name: 'model.h', bytes: 13, fate: 'removed' },
    ]);
    expect(peer.file('model.h')).toBeNull();
    expect(peer.file('model.tflite')).toEqual(NEW['model.tflite']);
    const bare = await board({}, { free: 4096 });
    const left = await uploadFiles(bare.access, uploadOf('new'));
    expect(left.files.filter(({ fate }) => fate !== 'written')).toEqual([
      { name: 'model.h', bytes: 13, fate: 'left-out' },
    ]);
    expect(left.free).toBe(4096);
  });

  it('counts the bytes on the wire to their end, and never backwards', async () => {
    const { access } = await board();
    const seen: number[] = [];
    let total = 0;
    await uploadFiles(
      access,
      { ...uploadOf('new'), extras: [{ name: 'model.h', content: new Uint8Array(5000).fill(65) }] },
      {
        onProgress: (progress) => {
          seen.push(progress.done);
          total = progress.total;
        },
      },
    );
    expect(seen.at(-1)).toBe(total);
    expect(seen.every((value, i) => i === 0 || value >= (seen[i - 1] as number))).toBe(true);
    // Base64 both ways, and some program text around it.
    expect(total).toBeGreaterThan((2 * 4 * 5000) / 3);
    expect(total).toBeLessThan(3.2 * 5000 + 4000);
  });

  it('can be cancelled at every step, and the former files stay', async () => {
    const { peer, access } = await board(OLD);
    let steps = 0;
    await uploadFiles(access, uploadOf('old'), { onProgress: () => steps++ });
    expect(setOn(peer)).toBe('old');
    let cancelled = 0;
    for (let step = 1; step <= steps; step++) {
      const control = new AbortController();
      let count = 0;
      const outcome = await uploadFiles(access, uploadOf('new'), {
        signal: control.signal,
        onProgress: () => ++count === step && control.abort(),
      }).then(
        () => 'done',
        (error: MicroPythonError) => `${error.code} ${error.filesLeft ?? ''}`,
      );
      if (outcome === 'cancelled former') {
        cancelled++;
        expect(setOn(peer)).toBe('old');
      } else {
        // The last progress comes when nothing is left to be cancelled.
        expect(outcome).toBe('done');
        expect(step).toBe(steps);
        expect(setOn(peer)).toBe('new');
      }
    }
    expect(cancelled).toBeGreaterThan(15);
  }, 240_000);
});

describe('faults', () => {
  /** Connects anew, as a person does after plugging the cable in again. */
  async function lookAgain(peer: MicroPythonPeer, listen: (repl: RawRepl) => void) {
    const time = createFakeTime();
    const repl = createRawRepl(time, (bytes) => peer.feed(bytes));
    listen(repl);
    return time.until(
      (async () => {
        const access = await accessTo(repl);
        return recoverUpload(access);
      })(),
    );
  }

  it.each(['to', 'from'] as const)(
    'a cable pulled after every byte %s the board leaves the former set or the new one',
    async (direction) => {
      let hear: (bytes: Uint8Array) => void = () => undefined;
      const peer = await MicroPythonPeer.start((bytes) => hear(bytes), OLD);
      const counts = { cuts: 0, old: 0, new: 0, finished: 0, discarded: 0 };
      for (let cut = 0; ; cut++) {
        peer.setFiles(OLD);
        const time = createFakeTime();
        let passed = 0;
        let pulled = false;
        /** What gets through of bytes in one direction. */
        const through = (bytes: Uint8Array, way: typeof direction): Uint8Array => {
          if (pulled) return bytes.subarray(0, 0);
          if (way !== direction) return bytes;
          const part = bytes.subarray(0, cut - passed);
          passed += part.length;
          pulled = part.length < bytes.length;
          return part;
        };
        const repl = createRawRepl(time, async (bytes) => {
          await peer.feed(through(bytes, 'to'));
          if (pulled) throw new Error('pulled');
        });
        hear = (bytes) => {
          const part = through(bytes, 'from');
          if (part.length > 0) repl.push(part);
          if (pulled) repl.fail(new Error('pulled'));
        };
        const upload = async (): Promise<void> => {
          // Restarting the interpreter is a boot of WebAssembly: left out, it writes nothing.
          const access = { ...(await accessTo(repl)), clear: () => Promise.resolve() };
          await uploadFiles(access, uploadOf('new'));
        };
        const left = await time.until(
          upload().then(
            () => null,
            (error: MicroPythonError) => error.filesLeft,
          ),
        );
        if (!pulled) {
          expect(left).toBeNull();
          expect(passed).toBe(cut);
          break;
        }
        counts.cuts++;
        const recovered = await lookAgain(peer, (repl) => (hear = (bytes) => repl.push(bytes)));
        const found = setOn(peer);
        expect(found, `cut after byte ${cut}`).not.toBe('mixed');
        // A promise that the former files are there was kept; a cut after the last word is none.
        if (found === 'new') expect([null, 'either']).toContain(left);
        if (found !== 'mixed') counts[found]++;
        if (recovered !== 'clean') counts[recovered]++;
      }
      expect(setOn(peer)).toBe('new');
      console.log(`MicroPython upload, cable pulled after each byte ${direction} the board:`, JSON.stringify(counts));
      expect(counts.old).toBeGreaterThan(500);
      if (direction === 'from') expect(counts.new).toBeGreaterThan(3);
      expect(counts.discarded).toBeGreaterThan(300);
    },
    600_000,
  );

  it.each([
    { fat: false, name: 'a rename is one step (littlefs)' },
    { fat: true, name: 'a rename onto a file removes it first (FAT)' },
  ])(
    'power cut after every change of the file system, $name',
    async ({ fat }) => {
      const counts = { cuts: 0, bootsOld: 0, bootsNew: 0, bootsNothing: 0, old: 0, new: 0 };
      for (let cut = 0; ; cut++) {
        const holder: { repl?: RawRepl } = {};
        const peer = await MicroPythonPeer.start((bytes) => holder.repl?.push(bytes), OLD, { fat });
        const repl = createRawRepl(systemTiming, (bytes) => peer.feed(bytes));
        holder.repl = repl;
        const access = { ...(await accessTo(repl)), clear: () => Promise.resolve() };
        let dead = false;
        peer.cutPowerAfter(cut, () => {
          dead = true;
          // The port goes with the board.
          queueMicrotask(() => repl.fail(new Error('no power')));
        });
        await uploadFiles(access, uploadOf('new')).catch(() => undefined);
        if (!dead) {
          expect(peer.operations).toBe(cut);
          break;
        }
        counts.cuts++;
        // Before anybody connects, the board runs one of the two models.
        const said = await peer.powerUp();
        if (said.includes('runs old old')) counts.bootsOld++;
        else if (said.includes('runs new new')) counts.bootsNew++;
        else counts.bootsNothing++;
        // And the studio finds one of the two sets, whole.
        const again = createRawRepl(systemTiming, (bytes) => peer.feed(bytes));
        holder.repl = again;
        await recoverUpload(await accessTo(again));
        const found = setOn(peer);
        expect(found, `power cut after change ${cut}`).not.toBe('mixed');
        if (found !== 'mixed') counts[found]++;
      }
      console.log(`MicroPython upload, power cut after each change, FAT ${fat}:`, JSON.stringify(counts));
      expect(counts.cuts).toBeGreaterThan(15);
      expect(counts.new).toBeGreaterThan(3);
      // On FAT there is one moment without main.py: the board waits at its prompt until the studio finishes.
      expect(counts.bootsNothing).toBe(fat ? 1 : 0);
    },
    300_000,
  );
});

describe.skipIf(!existsSync(QEMU) || !existsSync(MICROBIT))(
  'on the micro:bit’s MicroPython 1.9.2 in QEMU (skipped without qemu-system-arm and firmware-microbit-micropython)',
  () => {
    async function microbit() {
      const child = spawnQemu(QEMU, [
        ...['-M', 'microbit', '-display', 'none', '-monitor', 'none', '-serial', 'stdio'],
        ...['-device', `loader,file=${MICROBIT}`],
      ]);
      undo.push(() => killQemu(child));
      const repl = createRawRepl(systemTiming, (bytes) => Promise.resolve(void child.stdin.write(bytes)));
      child.stdout.on('data', (bytes: Buffer) => repl.push(Uint8Array.from(bytes)));
      return accessTo(repl);
    }

    const options = (access: MicroPythonAccess): UploadOptions => ({
      prove: async () => (await access.run('import model\nprint(model.VERSION)')) === 'new\r\n',
    });

    it('writes one by one, keeps a main.py, and tries how much room there is', async () => {
      const access = await microbit();
      const { files } = access;
      expect(files.port).toMatchObject({ folders: false, rename: false, ml: false });
      expect(await files.freeSpace()).toBeNull();
      await files.write('main.py', utf8('print("mine")\n'));
      const upload = uploadOf('new');
      const main = upload.main && { ...upload.main, content: utf8("print('new')\n") };
      await expect(uploadFiles(access, { ...upload, main: main && { ...main, replace: false } })).rejects.toMatchObject(
        { code: 'main-exists', filesLeft: 'former' },
      );
      const report = await uploadFiles(access, { ...upload, main }, options(access));
      expect(report).toMatchObject({ atOnce: false, recovered: 'clean' });
      expect(report.files.map(({ name, fate }) => `${name} ${fate}`)).toEqual([
        'main.bak.py backup',
        'model.py written',
        'model_test.bin written',
        'main.py written',
        'model.tflite written',
        'model.h written',
      ]);
      expect(new TextDecoder().decode(await files.read(BACKUP_FILE))).toBe('print("mine")\n');
      expect((await files.list()).map(({ name }) => name)).not.toContain('mote.tmp');
    }, 120_000);

    it('refuses what does not fit, before anything is overwritten', async () => {
      const access = await microbit();
      const { files } = access;
      await files.write('model.py', utf8("VERSION = 'old'\n"));
      const large = { name: 'model.py', content: new Uint8Array(60_000).fill(35) };
      const failed = uploadFiles(access, { ...uploadOf('new'), required: [large], main: null });
      await expect(failed).rejects.toMatchObject({
        code: 'no-space',
        filesLeft: 'former',
        message: expect.stringMatching(/need \d{5} bytes on the board, and \d+ bytes are free/) as string,
      });
      expect(new TextDecoder().decode(await files.read('model.py'))).toBe("VERSION = 'old'\n");
      expect(await modelOnBoard(access)).toBeNull();
    }, 120_000);
  },
);
