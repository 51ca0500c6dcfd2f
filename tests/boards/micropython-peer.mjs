/**
 * MicroPython (compiled to WebAssembly) as a board on a wire. Interpreter, raw REPL and files are real. Three things
 * the port lacks are done here: the framing of raw paste, LF to CRLF, and a soft reset that keeps files and runs main.py.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadMicroPython } from '@micropython/micropython-webassembly-pyscript/micropython.mjs';

const WINDOW = 128;
const BLOCK = 512;
/** Folders of the port itself. */
const SYSTEM_FOLDERS = new Set(['.', '..', 'tmp', 'home', 'dev', 'proc']);
const O_CREAT = 64;
const O_TRUNC = 512;
const BANNER = 'raw REPL; CTRL-B to exit\r\n>';

export class MicroPythonPeer {
  #mp;
  #raw = false;
  #line = [];
  #paste = null;
  #skip = '';
  #out = [];
  #queue = Promise.resolve();

  #send;
  #options = {};
  #operations = 0;
  #cut = null;

  /** Use `start`. @param {(bytes: Uint8Array) => void} send */
  constructor(send) {
    this.#send = send;
  }

  /**
   * @param {(bytes: Uint8Array) => void} send
   * @param {Record<string, Uint8Array>} files on the board from the start; paths may name a folder
   * @param {{ free?: number, fat?: boolean }} options `free`: bytes that the board says are free, in blocks of 512.
   *   `fat`: a rename onto a file that is there removes it first, as MicroPython's FAT driver does.
   */
  static async start(send, files = {}, options = {}) {
    const peer = new MicroPythonPeer(send);
    peer.#options = options;
    await peer.#boot(new Map(Object.entries(files)));
    peer.#out = [];
    return peer;
  }

  /** Bytes to the board, dealt with in order. */
  feed(bytes) {
    this.#queue = this.#queue.then(async () => {
      for (const byte of bytes) await this.#take(byte);
      this.#flush();
    });
    return this.#queue;
  }

  /** The bytes of a file on the board, or null. */
  file(name) {
    return this.#files().get(name) ?? null;
  }

  /** All files, folders included: path and bytes. */
  get tree() {
    return this.#files();
  }

  /** Replaces all files, as if they had been there since the board was made. */
  setFiles(files) {
    const { FS } = this.#mp;
    for (const path of this.#files().keys()) FS.unlink(`/${path}`);
    for (const name of this.#folders()) FS.rmdir(`/${name}`);
    this.#writeFiles(new Map(Object.entries(files)));
    this.#operations = 0;
  }

  /** Changes of the file system so far: files opened for writing, writes, renames, removals, folders. */
  get operations() {
    return this.#operations;
  }

  /** After so many more changes of the file system nothing changes and nothing is heard; `onCut` is called once. */
  cutPowerAfter(operations, onCut) {
    this.#operations = 0;
    this.#cut = { after: operations, onCut, dead: false };
  }

  /** Power is back: boots with the files as they were. Gives what main.py printed. */
  async powerUp() {
    await this.#queue;
    this.#cut = null;
    this.#paste = null;
    this.#raw = false;
    this.#line = [];
    this.#out = [];
    await this.#softReset();
    return String.fromCharCode(...this.#out.splice(0));
  }

  #flush() {
    if (this.#cut?.dead) this.#out = [];
    else if (this.#out.length > 0) this.#send(Uint8Array.from(this.#out.splice(0)));
  }

  #print(value) {
    for (const character of value) this.#out.push(character.charCodeAt(0));
  }

  #folders() {
    const { FS } = this.#mp;
    return FS.readdir('/').filter((name) => !SYSTEM_FOLDERS.has(name) && FS.isDir(FS.stat(`/${name}`).mode));
  }

  #files() {
    const { FS } = this.#mp;
    const inside = (folder) =>
      FS.readdir(`/${folder}`)
        .map((name) => folder + name)
        .filter((path) => !FS.isDir(FS.stat(`/${path}`).mode));
    const paths = [...inside(''), ...this.#folders().flatMap((name) => inside(`${name}/`))];
    return new Map(paths.map((path) => [path, FS.readFile(`/${path}`).slice()]));
  }

  #writeFiles(files) {
    const { FS } = this.#mp;
    files.forEach((content, path) => {
      const folder = path.split('/').slice(0, -1).join('/');
      if (folder !== '' && !FS.readdir('/').includes(folder)) FS.mkdir(`/${folder}`);
      FS.writeFile(`/${path}`, content);
    });
  }

  /** Counts what changes the file system, and stops it when the power is cut. */
  #watch() {
    const { FS } = this.#mp;
    const guard = (name, changes) => {
      const original = FS[name];
      FS[name] = (...values) => {
        // Streams without a node are the terminal's.
        if (changes(...values)) {
          if (this.#cut && !this.#cut.dead && this.#operations >= this.#cut.after) {
            this.#cut.dead = true;
            this.#cut.onCut?.();
          }
          if (this.#cut?.dead) throw new FS.ErrnoError(29);
          this.#operations++;
        }
        return original.apply(FS, values);
      };
    };
    const always = () => true;
    guard('open', (_, flags) => typeof flags === 'number' && (flags & (O_CREAT | O_TRUNC)) !== 0);
    guard('write', (stream) => FS.isFile(stream.node?.mode ?? 0));
    for (const name of ['unlink', 'mkdir', 'rmdir', 'rename']) guard(name, always);
    if (this.#options.fat) {
      const rename = FS.rename;
      FS.rename = (from, to) => {
        if (FS.analyzePath(to).exists) FS.unlink(to);
        rename(from, to);
      };
    }
  }

  async #boot(files) {
    const take = (bytes) => {
      for (const byte of bytes) {
        if (this.#skip !== '') {
          if (byte === this.#skip.charCodeAt(0)) {
            this.#skip = this.#skip.slice(1);
            continue;
          }
          this.#skip = '';
        }
        if (byte === 0x0a && this.#out.at(-1) !== 0x0d) this.#out.push(0x0d);
        this.#out.push(byte);
      }
    };
    this.#mp = await loadMicroPython({ linebuffer: false, stdout: take, stderr: take, heapsize: 1 << 20 });
    this.#writeFiles(files);
    this.#watch();
    const { free } = this.#options;
    if (free !== undefined) {
      const blocks = Math.floor(free / BLOCK);
      this.#mp.runPython(
        `import os\nos.statvfs = lambda p: (${BLOCK}, ${BLOCK}, 99999, ${blocks}, ${blocks}, 0, 0, 0, 0, 255)\ndel os`,
      );
    }
    this.#mp.replInit();
  }

  async #softReset() {
    const files = this.#files();
    this.#print('soft reboot\r\n');
    const before = this.#out.splice(0);
    await this.#boot(files);
    const banner = this.#out.splice(0);
    if (this.#raw) {
      this.#mp.replProcessChar(1);
      this.#out = before;
      this.#print(BANNER);
      return;
    }
    if (files.has('main.py')) {
      try {
        this.#mp.runPython('import main');
      } catch (error) {
        this.#print(String(error).replaceAll('\n', '\r\n'));
      }
    }
    this.#out = [...before, ...this.#out, ...banner];
  }

  async #take(byte) {
    if (this.#paste) {
      if (byte === 3 || byte === 4) {
        const { source } = this.#paste;
        this.#paste = null;
        this.#out.push(4);
        if (byte === 3) return;
        this.#skip = 'OK';
        for (const one of source) this.#mp.replProcessChar(one);
        this.#mp.replProcessChar(4);
        this.#skip = '';
        return;
      }
      this.#paste.source.push(byte);
      if (--this.#paste.room === 0) {
        this.#out.push(1);
        this.#paste.room = WINDOW;
      }
      return;
    }
    if (!this.#raw) {
      if (byte === 1) {
        this.#raw = true;
        this.#line = [];
      }
      if ((this.#mp.replProcessChar(byte) & 256) !== 0) await this.#softReset();
      return;
    }
    this.#line.push(byte);
    const line = this.#line;
    if (line[0] === 5 && line.length <= 2 && (line.length === 1 || byte === 0x41)) return;
    if (line.length === 3 && line[0] === 5 && line[1] === 0x41 && byte === 1) {
      this.#line = [];
      this.#mp.replProcessChar(3);
      this.#print(`R\x01${String.fromCharCode(WINDOW & 255, WINDOW >> 8)}\x01`);
      this.#paste = { source: [], room: WINDOW };
      return;
    }
    if (byte === 4 && line.length === 1) {
      this.#line = [];
      this.#print('OK\r\n');
      await this.#softReset();
      return;
    }
    if (byte === 2) this.#raw = false;
    if (byte <= 4) this.#line = [];
    this.#mp.replProcessChar(byte);
  }
}

function filesIn(folder) {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return Object.fromEntries(
    entries.map(({ parentPath, name }) => {
      const path = join(parentPath, name);
      return [relative(folder, path), readFileSync(path)];
    }),
  );
}

// As a program: the board on standard input and output, with the files of a folder given as argument. What the board
// changes is there at once, so that it is found again when the power comes back.
if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const folder = process.argv[2];
  const peer = await MicroPythonPeer.start((bytes) => void process.stdout.write(bytes), folder ? filesIn(folder) : {});
  let saved = peer.operations;
  const save = () => {
    if (!folder || peer.operations === saved) return;
    saved = peer.operations;
    rmSync(folder, { recursive: true });
    for (const [path, content] of peer.tree) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), content);
    }
  };
  process.stdin.on('data', (bytes) => void peer.feed(bytes).then(save));
  process.stdin.on('end', () => process.exit(0));
}
