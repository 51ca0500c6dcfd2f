/**
 * An emulated Raspberry Pi Pico on standard input and output, in real time where the emulator keeps up: bundled and
 * started by tests/rig/rp2040.spec.ts as `pico-peer usb|uart FLASH MOTION CUT`.
 *
 * FLASH is the file that stands for the chip's flash: each erase and program is written through at once, so that it
 * survives a pulled cable as it is at that moment. MOTION holds "still", "slow" or "fast": what the voltages at
 * ADC0..2 do. CUT holds a number: so many erases and programs are still done, then the chip has no power; when it is
 * missing, the power stays.
 */
import { existsSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import { Pico } from '../c/rp2040-board';

const [way, flashFile, motionFile, cutFile] = process.argv.slice(2) as ['usb' | 'uart', string, string, string];
const SLICE_MS = 2;
/** Further behind than this, the board skips time instead of catching up. */
const MOST_BEHIND_MS = 250;
const HERTZ: Readonly<Record<string, number>> = { still: 0, slow: 0.8, fast: 4 };
/** Steps of the converter: half the supply, and how far it swings. */
const MIDDLE = 2048;
const SWING = 600;

const flash = openSync(flashFile, 'r+');
const pico = new Pico(new Uint8Array(readFileSync(flash)));
pico.onFlash = ({ offset, count }) => {
  const changed = pico.chip.flash.subarray(offset, offset + count);
  if (writeSync(flash, changed, 0, count, offset) !== count) throw new Error('The flash file was not written');
  if (!existsSync(cutFile)) return;
  const left = Number(readFileSync(cutFile, 'utf8')) - 1;
  writeFileSync(cutFile, String(left));
  if (left <= 0) pico.powerOff();
};

let sent: Uint8Array[] = [];
const link = way === 'usb' ? pico.usbLink() : pico.uartLink();
await link.open({ baudRate: 115_200 }, { onBytes: (bytes) => sent.push(bytes), onLost: () => undefined });
process.stdin.on('data', (bytes: Buffer) => void link.write(Uint8Array.from(bytes)));
// No power without a cable.
process.stdin.on('end', () => process.exit(0));

function move(hertz: number): void {
  for (let axis = 0; axis < 3; axis++) {
    const angle = 2 * Math.PI * hertz * (pico.nowMs / 1000) + axis;
    const noise = 8 * Math.sin(pico.nowMs * 0.997 + axis);
    pico.chip.adc.channelValues[axis] = Math.round(MIDDLE + (hertz > 0 ? SWING : 0) * Math.sin(angle) + noise);
  }
}

let start = performance.now();
function tick(): void {
  const behind = performance.now() - start - pico.nowMs;
  if (behind > MOST_BEHIND_MS) start += behind - MOST_BEHIND_MS;
  // No longer than a slice at a stretch, so that bytes come and go in between.
  const until = performance.now() + 10;
  const hertz = HERTZ[readFileSync(motionFile, 'utf8').trim()] ?? 0;
  while (!pico.isOff && performance.now() - start > pico.nowMs && performance.now() < until) {
    move(hertz);
    pico.run(SLICE_MS);
  }
  for (const bytes of sent) process.stdout.write(bytes);
  sent = [];
  for (const complaint of pico.complaints.splice(0)) process.stderr.write(`Pico: ${complaint}\n`);
  setTimeout(tick, 1);
}
tick();
