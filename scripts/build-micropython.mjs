/**
 * Builds MicroPython for emulated chips, for the tests that run Python as machine code: Cortex-M0 (the instructions of
 * the Pico's M0+), Cortex-M3 and RISC-V (as in the ESP32-C3), with 32-bit floats and littlefs. The source is Debian's
 * package of version 1.25, fetched with apt from the mirror that this machine uses, without touching its settings.
 * The results stay in the user's cache folder, outside the repository.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { appendFileSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { readFileSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const RELEASE = 'trixie';
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';
const CACHE = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'mote', 'micropython-1.25-1');

/** Boards of MicroPython's qemu port and what they are built with. */
const BOARDS = {
  // Without the Thumb-2 instructions, as the port for the RP2040 is built.
  'cortex-m0': {
    board: 'MICROBIT',
    flags: '-DMICROPY_EMIT_THUMB=1 -DMICROPY_EMIT_THUMB_ARMV7M=0 -DMICROPY_EMIT_INLINE_THUMB=0',
    make: [],
  },
  'cortex-m3': { board: 'MPS2_AN385', flags: '', make: [] },
  // The linker finds the libraries of this architecture by its name without extensions.
  riscv32: { board: 'VIRT_RV32', flags: '', make: ['LIBS=-march=rv32imac'] },
};

/** Path of a firmware for QEMU, whether it is there or not. @param {keyof typeof BOARDS} name */
export function micropythonFirmware(name) {
  return join(CACHE, `${name}.elf`);
}

function mirror() {
  const told = execFileSync('apt-get', ['indextargets', '--format', '$(REPO_URI)', 'Created-By: Packages'], {
    encoding: 'utf8',
  });
  const found = told.split('\n').find((line) => /\/debian\/?$/.test(line.trim()));
  if (!found) throw new Error('this machine has no Debian mirror');
  return found.trim();
}

function fetchSource(folder) {
  const lists = join(folder, 'lists');
  mkdirSync(join(lists, 'partial'), { recursive: true });
  mkdirSync(join(folder, 'cache', 'archives', 'partial'), { recursive: true });
  const list = join(folder, 'sources.list');
  writeFileSync(list, `deb-src [signed-by=${KEYRING}] ${mirror()} ${RELEASE} main\n`);
  const options = [
    ...['-o', `Dir::Etc::sourcelist=${list}`, '-o', 'Dir::Etc::sourceparts=/dev/null'],
    ...['-o', `Dir::State::lists=${lists}`, '-o', `Dir::Cache=${join(folder, 'cache')}`],
    ...['-o', 'APT::Sandbox::User=root', '-qq'],
  ];
  const quiet = { cwd: folder, stdio: ['ignore', 'ignore', 2] };
  execFileSync('apt-get', [...options, 'update'], quiet);
  execFileSync('apt-get', [...options, 'source', '--download-only', 'micropython'], quiet);
  const archive = readdirSync(folder).find((name) => /\.orig\.tar\./.test(name));
  if (!archive) throw new Error('the source package has no archive');
  const source = join(folder, 'source');
  mkdirSync(source);
  execFileSync('tar', ['xf', join(folder, archive), '-C', source, '--strip-components', '1'], quiet);
  return source;
}

/** littlefs wants a clock; the linker scripts leave little memory and do not know picolibc's unwind tables. */
function adapt(port) {
  appendFileSync(join(port, 'mphalport.c'), '\nuint64_t mp_hal_time_ns(void) { return 0; }\n');
  for (const name of ['mps2', 'nrf51']) {
    const path = join(port, 'mcu', 'arm', `${name}.ld`);
    const text = readFileSync(path, 'utf8').replace('LENGTH = 256K', 'LENGTH = 1M');
    writeFileSync(path, `${text.slice(0, text.lastIndexOf('}'))}    /DISCARD/ : { *(.ARM.exidx*) }\n}\n`);
  }
}

/** Builds what is missing. Returns null, or why it could not be built. */
export function ensureMicroPython() {
  const missing = Object.entries(BOARDS).filter(([name]) => !existsSync(micropythonFirmware(name)));
  if (missing.length === 0) return null;
  const folder = mkdtempSync(join(tmpdir(), 'mote-micropython-'));
  try {
    const port = join(fetchSource(folder), 'ports', 'qemu');
    adapt(port);
    mkdirSync(CACHE, { recursive: true });
    for (const [name, { board, flags, make }] of missing) {
      const result = spawnSync(
        'make',
        [
          ...['-j2', `BOARD=${board}`, 'FROZEN_MANIFEST=', 'MICROPY_VFS_LFS2=1', 'MICROPY_HEAP_SIZE=600000', ...make],
          `CFLAGS_EXTRA=-DMICROPY_VFS_LFS2=1 -Wno-error ${flags}`,
        ],
        { cwd: port, encoding: 'utf8' },
      );
      const elf = join(port, `build-${board}`, 'firmware.elf');
      if (result.status !== 0 || !existsSync(elf)) {
        throw new Error(`${board} did not compile: ${(result.stderr || '').trim().split('\n').at(-1) ?? ''}`);
      }
      copyFileSync(elf, micropythonFirmware(name));
    }
    return null;
  } catch (error) {
    return error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const failed = ensureMicroPython();
  if (failed !== null) {
    console.error(`mote: MicroPython for QEMU was not built: ${failed}`);
    process.exit(1);
  }
  console.log(CACHE);
}
