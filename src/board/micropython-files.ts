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
  /** Free heap, bytes; null where it cannot be asked. */
  readonly freeMemory: number | null;
}

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
 from binascii import a2b_base64
 b = 1
except Exception:
 b = 0
try:
 import gc
 gc.collect()
 m = gc.mem_free()
except Exception:
 m = -1
i = sys.implementation
print(i[0], '.'.join([str(x) for x in i[1][:3]]), 'on', sys.platform)
print(b, 1 if hasattr(os, 'rename') else 0, m)
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
  const lines = (await repl.exec(PROBE, { signal })).trim().split(/\r?\n/);
  const [base64, rename, free] = (lines[1] ?? '').split(' ').map(Number);
  if (lines.length !== 2 || base64 === undefined || rename === undefined || free === undefined) {
    throw new MicroPythonError('protocol', 'The board runs Python, but not one that Mote knows.');
  }
  const port: MicroPythonPort = {
    description: (lines[0] ?? '').slice(0, 120),
    base64: base64 === 1,
    rename: rename === 1,
    freeMemory: free >= 0 ? free : null,
  };
  return createFiles(repl, port);
}

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

  async function read(name: string, options: FileOptions = {}, total = 0): Promise<Uint8Array> {
    const { signal } = options;
    await repl.exec(`f = open(${quote(name)}, 'rb')`, { signal });
    const parts: number[] = [];
    for (;;) {
      const hex = (
        await repl.exec(`d = f.read(${chunkBytes})\nprint(''.join(['%02x' % x for x in d]))`, { signal })
      ).trim();
      if (hex === '') break;
      if (!/^(?:[0-9a-f]{2})+$/.test(hex)) throw new MicroPythonError('protocol', `${name} could not be read.`);
      for (let i = 0; i < hex.length; i += 2) parts.push(parseInt(hex.slice(i, i + 2), 16));
      if (parts.length > MAX_FILE_BYTES) throw new MicroPythonError('protocol', `${name} is too long to be read.`);
      options.onProgress?.({ step: 'verifying', name, done: parts.length, total: Math.max(total, parts.length) });
    }
    await repl.exec('f.close()', { signal });
    return Uint8Array.from(parts);
  }

  async function put(name: string, content: Uint8Array, options: FileOptions): Promise<void> {
    const { signal, onProgress } = options;
    const total = content.length;
    const open = `f = open(${quote(name)}, 'wb')`;
    await repl.exec(port.base64 ? `from binascii import a2b_base64\n${open}` : open, { signal });
    for (let at = 0; at < total; at += chunkBytes) {
      const part = content.subarray(at, at + chunkBytes);
      const data = port.base64 ? `a2b_base64(b'${base64Text(part)}')` : bytesText(part);
      // Some ports write less than they are given when the file system is full, and do not raise.
      const printed = await repl.exec(`print(f.write(${data}))`, { signal });
      if (Number(printed.trim()) !== part.length) {
        throw new MicroPythonError('no-space', 'The board’s file system is full. Delete files that you do not need.');
      }
      onProgress?.({ step: 'writing', name, done: at + part.length, total });
    }
    await repl.exec('f.close()', { signal });
  }

  async function write(name: string, content: Uint8Array, options: FileOptions = {}): Promise<void> {
    checkName(name);
    const target = port.rename ? `${name}.new` : name;
    await put(target, content, options);
    const back = await read(target, options, content.length);
    if (back.length !== content.length || back.some((byte, i) => byte !== content[i])) {
      throw new MicroPythonError(
        'verify-mismatch',
        `${name} on the board is not what was sent. Try again; if it stays, the board’s flash may be worn.`,
      );
    }
    if (!port.rename) return;
    // FAT refuses to rename onto a file that is there.
    await repl.exec(
      `import os\nif ${quote(name)} in os.listdir():\n os.remove(${quote(name)})\nos.rename(${quote(target)}, ${quote(name)})`,
      { signal: options.signal },
    );
  }

  async function remove(name: string, signal?: AbortSignal): Promise<void> {
    await repl.exec(`import os\nos.remove(${quote(name)})`, { signal });
  }

  return {
    port,
    list,
    read: (name, options) => read(name, options),
    write,
    remove,
    async writeMain(content, replace, options = {}) {
      const names = (await list(options.signal)).map((file) => file.name);
      let backedUp = false;
      if (names.includes(MAIN_FILE)) {
        const old = await read(MAIN_FILE, { signal: options.signal });
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
      const kept = await read(BACKUP_FILE, { signal: options.signal });
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

function quote(name: string): string {
  return `'${name.replace(/[\\']/g, '\\$&').replace(/[^\x20-\x7e]/g, '?')}'`;
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
