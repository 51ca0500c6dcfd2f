/**
 * Brings a fresh checkout to life: dependencies, and for the tests a browser and compilers.
 * Plain Node, no dependencies of its own, because it runs before anything is installed.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureMicroPython } from './build-micropython.mjs';

export const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** Ends the process with one clear line. */
export function fail(message) {
  console.error(`mote: ${message}`);
  process.exit(2);
}

export function requireNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major < 20 || (major === 20 && minor < 19)) {
    fail(`Node 20.19 or newer is needed; this is ${process.version}. Install a newer Node and run the command again.`);
  }
}

/** Installs node_modules when they are missing or older than the lock file. */
export function ensureDependencies() {
  requireNode();
  const installed = join(ROOT, 'node_modules', '.package-lock.json');
  const lock = join(ROOT, 'package-lock.json');
  if (existsSync(installed) && sameVersions(installed, lock)) return;
  console.error('mote: installing dependencies (npm ci); this happens once');
  // stdout stays free for the command's own results.
  const result = spawnSync('npm', ['ci', '--no-audit', '--no-fund'], {
    cwd: ROOT,
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32',
  });
  if (result.status !== 0) fail('npm ci failed; see its messages above. Check the network and run the command again.');
}

/** Compares by content, not by time: a fresh clone has fresh times. */
function sameVersions(installed, lock) {
  try {
    const have = JSON.parse(readFileSync(installed, 'utf8')).packages ?? {};
    const want = JSON.parse(readFileSync(lock, 'utf8')).packages ?? {};
    return Object.entries(want).every(
      ([path, entry]) => path === '' || entry.optional || entry.peer || have[path]?.version === entry.version,
    );
  } catch {
    return false;
  }
}

const BROWSERS = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/usr/bin/google-chrome-stable',
  '/snap/bin/chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
];

/** Path of a Chromium or Chrome, or null. */
export function findBrowser() {
  const named = process.env.MOTE_CHROMIUM;
  if (named) return existsSync(named) ? named : null;
  return BROWSERS.find((path) => existsSync(path)) ?? null;
}

function onPath(program) {
  const which = spawnSync(process.platform === 'win32' ? 'where' : 'which', [program], { stdio: 'ignore' });
  return which.status === 0;
}

/** Debian packages the tests use, by the program or file that shows they are there. */
const DEBIAN = [
  { package: 'clang', program: 'clang' },
  { package: 'socat', program: 'socat' },
  { package: 'gcc', program: 'gcc' },
  { package: 'g++', program: 'g++' },
  // Other processors: compilers, their C library and emulators.
  { package: 'gcc-arm-none-eabi', program: 'arm-none-eabi-gcc' },
  { package: 'picolibc-arm-none-eabi', file: '/usr/lib/picolibc/arm-none-eabi/picolibc.specs' },
  { package: 'gcc-riscv64-unknown-elf', program: 'riscv64-unknown-elf-gcc' },
  { package: 'picolibc-riscv64-unknown-elf', file: '/usr/lib/picolibc/riscv64-unknown-elf/picolibc.specs' },
  { package: 'gcc-xtensa-lx106', program: 'xtensa-lx106-elf-gcc' },
  { package: 'picolibc-xtensa-lx106-elf', file: '/usr/lib/xtensa-lx106-elf/include/stdint.h' },
  { package: 'qemu-system-arm', program: 'qemu-system-arm' },
  { package: 'qemu-system-misc', program: 'qemu-system-riscv32' },
  { package: 'lld', program: 'wasm-ld' },
  { package: 'gcc-avr', program: 'avr-gcc' },
  { package: 'avr-libc', file: '/usr/lib/avr/include/avr/io.h' },
  { package: 'simavr', program: 'simavr' },
  { package: 'libsimavr-dev', file: '/usr/include/simavr/sim_avr.h' },
  { package: 'libelf-dev', file: '/usr/include/libelf.h' },
  { package: 'libunicorn-dev', file: '/usr/include/unicorn/unicorn.h' },
  // Boards: the Arduino core with its bootloader, and MicroPython for the micro:bit.
  { package: 'arduino-core-avr', file: '/usr/share/arduino/hardware/arduino/avr/cores/arduino/Arduino.h' },
  { package: 'firmware-microbit-micropython', file: '/usr/share/firmware-microbit-micropython/firmware.hex' },
];

function isInstalled({ program, file }) {
  return program ? onPath(program) : existsSync(file);
}

/** Installs what the tests need where this may be done; returns sentences about what stays missing. */
export function ensureTestTools() {
  const missing = DEBIAN.filter((entry) => !isInstalled(entry)).map((entry) => entry.package);
  if (!findBrowser()) missing.push('chromium');
  // The sanitizers' runtime of clang is a package of its own on Debian.
  if (missing.includes('clang')) missing.push('libclang-rt-14-dev');
  const mayInstall = process.platform === 'linux' && onPath('apt-get') && process.getuid?.() === 0;
  if (missing.length > 0 && mayInstall) {
    console.error(`mote: installing ${missing.join(', ')} from the distribution`);
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    spawnSync('apt-get', ['update', '-qq'], { stdio: ['ignore', 2, 2], env });
    const install = (...names) =>
      spawnSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...names], {
        stdio: ['ignore', 2, 2],
        env,
      }).status === 0;
    // Together is faster; one by one when a distribution lacks one of them.
    if (!install(...missing)) missing.forEach((name) => install(name));
  }
  const notes = [];
  const unbuilt = mayInstall ? ensureMicroPython() : null;
  if (unbuilt !== null)
    notes.push(`MicroPython for QEMU was not built (${unbuilt}), so Python as machine code is not tested`);
  if (!findBrowser()) {
    notes.push(
      'no Chromium or Chrome was found, so the browser tests are skipped: install one (Debian: apt-get install chromium) or set MOTE_CHROMIUM to its path',
    );
  }
  for (const entry of DEBIAN) {
    if (!isInstalled(entry)) notes.push(`${entry.package} is not installed, so the tests that use it are skipped`);
  }
  return notes;
}
