/**
 * An emulated Arduino Uno on standard input and output, in real time: `uno-peer.mjs BOOTLOADER.hex LINES MOTION`.
 * LINES is the file in which tests/rig/modem_lines.c tells of DTR: its rising resets the board. MOTION holds "still",
 * "slow" or "fast": what the voltages at A0..A2 do.
 */
import { readFileSync, statSync } from 'node:fs';
import { AvrBoard } from './avr-board.mjs';

const [bootLoader, linesFile, motionFile] = process.argv.slice(2);
const SLICE_SECONDS = 0.004;
/** Further behind than this, the board skips time instead of catching up. */
const MOST_BEHIND_SECONDS = 0.25;
/** A machine too slow for the chip must still hear its input and its end. */
const MOST_CATCHING_UP_SECONDS = 0.05;
const HERTZ = { still: 0, slow: 0.8, fast: 4 };

const board = new AvrBoard(readFileSync(bootLoader, 'utf8'));
let frequency = 0;
board.volts = (seconds) =>
  [0, 1, 2].map(
    (axis) => 2.5 + 1.2 * Math.sin(2 * Math.PI * frequency * seconds + axis) + 0.02 * Math.sin(997 * seconds),
  );

let sent = [];
board.onByte = (byte) => sent.push(byte);
process.stdin.on('data', (bytes) => board.send(bytes));
process.stdin.on('end', () => process.exit(0));
// The cable may be pulled while something is sent.
process.stdout.on('error', () => process.exit(0));

let seen = 0;
function look() {
  try {
    const { size } = statSync(linesFile);
    if (size > seen) {
      const news = readFileSync(linesFile, 'latin1').slice(seen);
      seen = size;
      if (news.includes('1')) board.reset();
    }
    frequency = HERTZ[readFileSync(motionFile, 'utf8').trim()] ?? 0;
  } catch {
    // Not written yet.
  }
}

let start = performance.now();
let emulated = 0;
function tick() {
  look();
  const now = () => (performance.now() - start) / 1000;
  const due = now();
  if (due - emulated > MOST_BEHIND_SECONDS) start += 1000 * (due - emulated - MOST_BEHIND_SECONDS);
  for (const end = now() + MOST_CATCHING_UP_SECONDS; now() > emulated && now() < end; emulated += SLICE_SECONDS) {
    board.run(SLICE_SECONDS);
  }
  if (sent.length > 0) {
    process.stdout.write(Uint8Array.from(sent));
    sent = [];
  }
  setTimeout(tick, 1);
}
tick();
