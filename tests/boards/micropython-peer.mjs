/**
 * MicroPython (compiled to WebAssembly) as a board on a wire. Interpreter, raw REPL and files are real. Three things
 * the port lacks are done here: the framing of raw paste, LF to CRLF, and a soft reset that keeps files and runs main.py.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadMicroPython } from '@micropython/micropython-webassembly-pyscript/micropython.mjs';

const WINDOW = 128;
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

  /** Use `start`. @param {(bytes: Uint8Array) => void} send */
  constructor(send) {
    this.#send = send;
  }

  /** @param {(bytes: Uint8Array) => void} send @param {Record<string, Uint8Array>} files on the board from the start */
  static async start(send, files = {}) {
    const peer = new MicroPythonPeer(send);
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

  #flush() {
    if (this.#out.length > 0) this.#send(Uint8Array.from(this.#out.splice(0)));
  }

  #print(value) {
    for (const character of value) this.#out.push(character.charCodeAt(0));
  }

  #files() {
    const { FS } = this.#mp;
    const names = FS.readdir('/').filter((name) => !FS.isDir(FS.stat(`/${name}`).mode));
    return new Map(names.map((name) => [name, FS.readFile(`/${name}`).slice()]));
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
    files.forEach((content, name) => this.#mp.FS.writeFile(`/${name}`, content));
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

// As a program: the board on standard input and output, with the files of a folder given as argument.
if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const folder = process.argv[2];
  const files = folder
    ? Object.fromEntries(readdirSync(folder).map((name) => [name, readFileSync(join(folder, name))]))
    : {};
  const peer = await MicroPythonPeer.start((bytes) => void process.stdout.write(bytes), files);
  process.stdin.on('data', (bytes) => void peer.feed(bytes));
  process.stdin.on('end', () => process.exit(0));
}
