/** MicroPython 1.25 on an emulated chip, behind its own serial port: raw paste, machine code and 32-bit floats are real. */
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRawRepl, type RawRepl } from '../../src/board/raw-repl';
import { systemTiming } from '../../src/board/timing';
import { micropythonFirmware } from '../../scripts/build-micropython.mjs';

export type Chip = 'cortex-m0' | 'cortex-m3' | 'riscv32';

const COMMANDS: Readonly<Record<Chip, readonly [string, ...string[]]>> = {
  'cortex-m0': [
    ...(['/usr/bin/qemu-system-arm', '-machine', 'microbit'] as const),
    ...['-global', 'nrf51-soc.flash-size=1048576', '-global', 'nrf51-soc.sram-size=1048576'],
  ],
  'cortex-m3': ['/usr/bin/qemu-system-arm', '-machine', 'mps2-an385'],
  riscv32: ['/usr/bin/qemu-system-riscv32', '-machine', 'virt', '-bios', 'none'],
};

export const CHIPS = Object.keys(COMMANDS) as Chip[];

/** What is missing for a chip, or null. */
export function missingFor(chip: Chip): string | null {
  const [qemu] = COMMANDS[chip];
  if (!existsSync(qemu)) return `${qemu} is not installed`;
  return existsSync(micropythonFirmware(chip)) ? null : 'run node scripts/build-micropython.mjs';
}

/**
 * QEMU with its serial port on stdin and stdout. Node's own pipes are sockets, which are full after 278 writes of one byte
 * when nobody reads just then. QEMU's nRF51 keeps one byte that it cannot get rid of and drops those behind it, unless
 * the program waits for TXDRDY, which MicroPython's port for QEMU does not. A pipe holds 64 KB, and `cat` empties it.
 */
export function spawnQemu(qemu: string, machine: readonly string[]): ChildProcessWithoutNullStreams {
  return spawn('sh', ['-c', '"$0" "$@" | cat', qemu, ...machine], { detached: true });
}

/** Ends QEMU and what stands around it. */
export function killQemu({ pid }: ChildProcessWithoutNullStreams): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  } catch (error) {
    // It ended by itself.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

export function startChip(chip: Chip): { readonly repl: RawRepl; readonly stop: () => void } {
  const [qemu, ...machine] = COMMANDS[chip];
  const child = spawnQemu(qemu, [
    ...[...machine, '-display', 'none', '-monitor', 'none', '-serial', 'stdio', '-semihosting'],
    ...['-kernel', micropythonFirmware(chip)],
  ]);
  const repl = createRawRepl(systemTiming, (bytes) => Promise.resolve(void child.stdin.write(bytes)));
  child.stdout.on('data', (bytes: Buffer) => repl.push(Uint8Array.from(bytes)));
  return { repl, stop: () => killQemu(child) };
}

/**
 * Python that mounts littlefs on a disk in memory as `/`. `disk.left`: so many blocks are written or erased before the
 * power goes; None: no end.
 */
export const LITTLEFS = `
import os
class Disk:
 def __init__(self, blocks):
  self.data = bytearray(blocks * 512)
  self.left = None
 def change(self):
  if self.left is not None:
   if self.left == 0: raise OSError(5)
   self.left -= 1
 def readblocks(self, block, buf, offset=0):
  at = block * 512 + offset
  buf[:] = self.data[at:at + len(buf)]
 def writeblocks(self, block, buf, offset=0):
  self.change()
  at = block * 512 + offset
  self.data[at:at + len(buf)] = buf
 def ioctl(self, op, arg):
  if op == 4: return len(self.data) // 512
  if op == 5: return 512
  if op == 6:
   self.change()
   return 0
disk = Disk(160)
os.VfsLfs2.mkfs(disk)
os.mount(disk, '/')
`;
