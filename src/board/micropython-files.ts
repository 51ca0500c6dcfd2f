/**
 * Files on a MicroPython board: list, read, write with read-back compare, and the rules for a person's main.py.
 * Everything goes through programs for the raw REPL; which ones depends on the modules that the port has.
 */
import { MicroPythonError } from './micropython-error';
import type { RawRepl } from './raw-repl';

export const MAIN_FILE = 'main.py';
export const BACKUP_FILE = 'main.bak.py';
const MAX_FILE_BYTES = 1 << 20;
const MAX_NAME_CHARACTERS = 64;

export interface BoardFile {
  readonly name: string;
  readonly bytes: number;
}

/** What a port can do, as far as it matters here. */
export interface MicroPythonPort {
  /** `sys.implementation` and `sys.platform`: "micropython 1.27.0 on rp2". */
  readonly description: string;
  readonly base64: boolean;
  readonly rename: boolean;
  /** Folders, renames and a working directory: new files can be proved in a folder of their own before they count. */
  readonly folders: boolean;
  /** The working directory at the prompt: "/", "/flash"; empty where there are no folders. */
  readonly home: string;
  /** OpenMV's module for networks. */
  readonly ml: boolean;
  /** Free heap, bytes; null where it cannot be asked. */
  readonly freeMemory: number | null;
}

/** `done` of `total` bytes on the wire: program text to the board and what it prints, without the protocol's own. */
export interface FileProgress {
  readonly step: 'writing' | 'verifying';
  readonly name: string;
  readonly done: number;
  readonly total: number;
}

export interface FileOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: (progress: FileProgress) => void;
}

/** Room on the file system. */
export interface FreeSpace {
  /** Bytes. */
  readonly free: number;
  /** Files take whole blocks of so many bytes. */
  readonly block: number;
}

export interface MicroPythonFiles {
  readonly port: MicroPythonPort;
  list(signal?: AbortSignal): Promise<BoardFile[]>;
  /** Throws MicroPythonError `no-file`. */
  read(name: string, options?: FileOptions): Promise<Uint8Array>;
  /**
   * Writes, reads back and compares. Where the port can rename, the old file stays until the new one is proved.
   * Throws MicroPythonError `verify-mismatch`, `no-space`, `bad-name` ...
   */
  write(name: string, content: Uint8Array, options?: FileOptions): Promise<void>;
  /** Writes under this name, maybe in a folder that is there, reads back and compares. */
  store(path: string, content: Uint8Array, options?: FileOptions): Promise<void>;
  /** Bytes on the wire of a `store`. */
  storeBytes(path: string, content: Uint8Array): number;
  /** Null where the port cannot tell. */
  freeSpace(signal?: AbortSignal): Promise<FreeSpace | null>;
  /** By filling a file up to `wanted` bytes and removing it: for ports that cannot tell. At most `wanted`. */
  trySpace(wanted: number, signal?: AbortSignal): Promise<number>;
  remove(name: string, signal?: AbortSignal): Promise<void>;
  /**
   * Writes main.py. One that is there and differs is replaced only when `replace` is true, and is kept as
   * `BACKUP_FILE` first, unless there is a backup already that is the older original. Throws `main-exists`.
   */
  writeMain(content: Uint8Array, replace: boolean, options?: FileOptions): Promise<{ readonly backedUp: boolean }>;
  /** Puts the kept main.py back and removes the copy. Throws `no-file` when nothing was kept. */
  restoreMain(options?: FileOptions): Promise<void>;
}

const PROBE = `
import sys
try:
 import os
except ImportError:
 import uos as os
try:
 from binascii import a2b_base64, b2a_base64
 b = 1
except Exception:
 b = 0
try:
 import gc
 gc.collect()
 m = gc.mem_free()
except Exception:
 m = -1
try:
 import ml
 o = 1
except Exception:
 o = 0
h = 1
for n in ('rename', 'mkdir', 'rmdir', 'chdir', 'getcwd'):
 if not hasattr(os, n):
  h = 0
i = sys.implementation
print(i[0], '.'.join([str(x) for x in i[1][:3]]), 'on', sys.platform)
print(b, 1 if hasattr(os, 'rename') else 0, m, h, o)
print(os.getcwd() if h else '')
`;

const SPACE = `
import os
try:
 s = os.statvfs(os.getcwd())
 print((s[1] or s[0]) * s[4], s[1] or s[0])
except AttributeError:
 print(-1, 0)
`;

const LIST = `
import os
for n in os.listdir():
 try:
  s = os.stat(n)
  z = -1 if s[0] & 0x4000 else s[6]
 except AttributeError:
  z = os.size(n)
 print(z, n)
`;

/** Finds out what the port has. */
export async function openMicroPythonFiles(repl: RawRepl, signal?: AbortSignal): Promise<MicroPythonFiles> {
  const lines = (await repl.exec(PROBE, { signal })).split(/\r?\n/);
  const [base64, rename, free, folders, ml] = (lines[1] ?? '').split(' ').map(Number);
  if (base64 === undefined || rename === undefined || free === undefined || folders === undefined || ml === undefined) {
    throw new MicroPythonError('protocol', 'The board runs Python, but not one that Mote knows.');
  }
  const port: MicroPythonPort = {
    description: (lines[0] ?? '').slice(0, 120),
    base64: base64 === 1,
    rename: rename === 1,
    folders: folders === 1,
    home: folders === 1 ? (lines[2] ?? '').slice(0, 200) : '',
    ml: ml === 1,
    freeMemory: free >= 0 ? free : null,
  };
  return createFiles(repl, port);
}

/** A program, and how many bytes it prints. */
interface Exchange {
  readonly source: string;
  readonly answerBytes: number;
}

const wire = ({ source, answerBytes }: Exchange): number => source.length + answerBytes;

function createFiles(repl: RawRepl, port: MicroPythonPort): MicroPythonFiles {
  // A chunk is a program: its text and its bytes are in memory at once.
  const chunkBytes = port.base64 ? 768 : 64;

  async function list(signal?: AbortSignal): Promise<BoardFile[]> {
    const printed = await repl.exec(LIST, { signal });
    return printed
      .split(/\r?\n/)
      .map((line) => /^(\d+) (.+)$/.exec(line))
      .filter((match) => match !== null)
      .map((match) => ({ name: match[2] as string, bytes: Number(match[1]) }));
  }

  function reading(path: string, length: number): Exchange {
    const [begin, print, perChunk] = port.base64
      ? [
          'from binascii import b2a_base64\n',
          "str(b2a_base64(d).rstrip(), 'ascii')",
          (n: number) => 4 * Math.ceil(n / 3),
        ]
      : ['', "''.join(['%02x' % x for x in d])", (n: number) => 2 * n];
    const source = `${begin}f = open(${quote(path)}, 'rb')\nwhile 1:\n d = f.read(${chunkBytes})\n if not d: break\n print(${print})\nf.close()`;
    const whole = Math.floor(length / chunkBytes);
    const rest = length % chunkBytes;
    return { source, answerBytes: whole * (perChunk(chunkBytes) + 2) + (rest > 0 ? perChunk(rest) + 2 : 0) };
  }

  async function read(
    path: string,
    signal: AbortSignal | undefined,
    onAnswer: (bytes: number) => void = () => undefined,
  ): Promise<Uint8Array> {
    const printed = await repl.exec(reading(path, 0).source, { signal, onOutput: (part) => onAnswer(part.length) });
    const parts = printed.split(/\r?\n/).map((line) => (port.base64 ? fromBase64(line) : fromHex(line)));
    if (parts.includes(null)) throw new MicroPythonError('protocol', `${path} could not be read.`);
    const length = parts.reduce((sum, part) => sum + (part?.length ?? 0), 0);
    if (length > MAX_FILE_BYTES) throw new MicroPythonError('protocol', `${path} is too long to be read.`);
    const content = new Uint8Array(length);
    let at = 0;
    for (const part of parts) {
      content.set(part ?? [], at);
      at += part?.length ?? 0;
    }
    return content;
  }

  /** The programs that write a file; those in the middle print how much they wrote. */
  function* writing(path: string, content: Uint8Array): Generator<Exchange & { readonly bytes: number }> {
    const open = `f = open(${quote(path)}, 'wb')`;
    yield { source: port.base64 ? `from binascii import a2b_base64\n${open}` : open, answerBytes: 0, bytes: 0 };
    for (let at = 0; at < content.length; at += chunkBytes) {
      const part = content.subarray(at, at + chunkBytes);
      const data = port.base64 ? `a2b_base64(b'${base64Text(part)}')` : bytesText(part);
      yield {
        source: `print(f.write(${data}))`,
        answerBytes: String(part.length).length + 2,
        bytes: part.length,
      };
    }
    yield { source: 'f.close()', answerBytes: 0, bytes: 0 };
  }

  function storeBytes(path: string, content: Uint8Array): number {
    let total = wire(reading(path, content.length));
    for (const exchange of writing(path, content)) total += wire(exchange);
    return total;
  }

  async function store(path: string, content: Uint8Array, options: FileOptions = {}): Promise<void> {
    const { signal, onProgress } = options;
    const name = path.slice(path.lastIndexOf('/') + 1);
    const total = storeBytes(path, content);
    let done = 0;
    for (const exchange of writing(path, content)) {
      const printed = await repl.exec(exchange.source, { signal });
      // Some ports write less than they are given when the file system is full, and do not raise.
      if (exchange.bytes > 0 && Number(printed.trim()) !== exchange.bytes) {
        throw new MicroPythonError('no-space', 'The board’s file system is full. Delete files that you do not need.');
      }
      done += wire(exchange);
      onProgress?.({ step: 'writing', name, done, total });
    }
    done += reading(path, 0).source.length;
    const back = await read(path, signal, (bytes) => {
      done = Math.min(total, done + bytes);
      onProgress?.({ step: 'verifying', name, done, total });
    });
    if (back.length !== content.length || back.some((byte, i) => byte !== content[i])) {
      throw new MicroPythonError(
        'verify-mismatch',
        `${name} on the board is not what was sent. Try again; if it stays, the board’s flash may be worn.`,
      );
    }
    onProgress?.({ step: 'verifying', name, done: total, total });
  }

  async function write(name: string, content: Uint8Array, options: FileOptions = {}): Promise<void> {
    checkName(name);
    const target = port.rename ? `${name}.new` : name;
    await store(target, content, options);
    // Takes the place of a file that is there: at once on littlefs, by removing it first on FAT.
    if (port.rename)
      await repl.exec(`import os\nos.rename(${quote(target)}, ${quote(name)})`, { signal: options.signal });
  }

  async function freeSpace(signal?: AbortSignal): Promise<FreeSpace | null> {
    if (!port.folders) return null;
    const [free, block] = (await repl.exec(SPACE, { signal })).trim().split(' ').map(Number);
    if (free === undefined || block === undefined || !(free >= 0)) return null;
    return { free, block: Math.max(1, block) };
  }

  async function trySpace(wanted: number, signal?: AbortSignal): Promise<number> {
    const scratch = quote('mote.tmp');
    const printed = await repl.exec(
      `import os\nn = 0\ntry:\n f = open(${scratch}, 'wb')\n while n < ${wanted}:\n  k = f.write(bytes(min(64, ${wanted} - n)))\n` +
        `  if not k: break\n  n += k\nexcept OSError:\n pass\ntry:\n f.close()\n os.remove(${scratch})\nexcept OSError:\n pass\nprint(n)`,
      { signal },
    );
    const free = Number(printed.trim());
    if (!Number.isFinite(free)) throw new MicroPythonError('protocol', 'The board did not say how much room it has.');
    return free;
  }

  async function remove(name: string, signal?: AbortSignal): Promise<void> {
    await repl.exec(`import os\nos.remove(${quote(name)})`, { signal });
  }

  return {
    port,
    list,
    read: (name, options = {}) => read(name, options.signal),
    write,
    store,
    storeBytes,
    freeSpace,
    trySpace,
    remove,
    async writeMain(content, replace, options = {}) {
      const names = (await list(options.signal)).map((file) => file.name);
      let backedUp = false;
      if (names.includes(MAIN_FILE)) {
        const old = await read(MAIN_FILE, options.signal);
        const same = old.length === content.length && old.every((byte, i) => byte === content[i]);
        if (same) return { backedUp };
        if (!replace) {
          throw new MicroPythonError(
            'main-exists',
            'The board has a main.py of its own. Agree to replace it (a copy is kept), or write the model alone.',
          );
        }
        if (!names.includes(BACKUP_FILE)) {
          await write(BACKUP_FILE, old, { signal: options.signal });
          backedUp = true;
        }
      }
      await write(MAIN_FILE, content, options);
      return { backedUp };
    },
    async restoreMain(options = {}) {
      const kept = await read(BACKUP_FILE, options.signal);
      await write(MAIN_FILE, kept, options);
      await remove(BACKUP_FILE, options.signal);
    },
  };
}

function checkName(name: string): void {
  if (name.length > MAX_NAME_CHARACTERS || !/^[A-Za-z0-9_][A-Za-z0-9_.-]*$/.test(name)) {
    throw new MicroPythonError('bad-name', `“${name.slice(0, 80)}” cannot be a file on a board.`);
  }
}

/** A text as a Python literal; names on boards are ASCII. */
export function quote(name: string): string {
  return `'${name.replace(/[\\']/g, '\\$&').replace(/[^\x20-\x7e]/g, '?')}'`;
}

function fromBase64(line: string): Uint8Array | null {
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(line) || line.length % 4 !== 0) return null;
  return Uint8Array.from(atob(line), (character) => character.charCodeAt(0));
}

function fromHex(line: string): Uint8Array | null {
  if (!/^(?:[0-9a-f]{2})*$/.test(line)) return null;
  return Uint8Array.from({ length: line.length / 2 }, (_, i) => parseInt(line.slice(2 * i, 2 * i + 2), 16));
}

function base64Text(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes));
}

function bytesText(bytes: Uint8Array): string {
  let out = '';
  for (const byte of bytes) {
    out +=
      byte >= 0x20 && byte < 0x7f && byte !== 0x27 && byte !== 0x5c
        ? String.fromCharCode(byte)
        : `\\x${byte.toString(16).padStart(2, '0')}`;
  }
  return `b'${out}'`;
}
