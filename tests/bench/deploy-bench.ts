/**
 * Time of a deploy against the wire's limit, on simulated clocks, so that the figures do not depend on the machine. First
 * the real firmware as wasm behind a paced wire, with flash that costs no time; then the firmware of the micro:bit and of
 * the Pico on emulated chips whose flash costs what the data sheets say.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DeployReport } from '../../src/board/board';
import { createFakeTime } from '../fixtures/fake-time';
import { createSession } from '../../src/board/session';
import { smallModel } from '../fixtures/small-model';
import { hostInThread } from '../../src/board/virtual-board-host';
import { createVirtualLink } from '../../src/board/virtual-link';
import { deployWireLimit } from '../fixtures/wire-limit';
import { writePack } from '../../src/emit/pack';
import { flashOfHex } from '../c/microbit-board';
import { NRF51822, NrfChip } from '../c/nrf-chip';
import { FLASH_BYTES as PICO_FLASH_BYTES, Pico, writeUf2 } from '../c/rp2040-board';
import { threeAxisPack } from '../c/three-axis-pack';
import { pacedLink } from './paced-link';

const WIRES = [
  { baudRate: 115_200, delayMs: 2 },
  { baudRate: 921_600, delayMs: 2 },
];

const wasm = new WebAssembly.Module(readFileSync(join(process.cwd(), 'public/virtual-board.wasm')));
const shipped = join(process.cwd(), 'static-models/gestures/gestures.mote');
const packs = [
  { name: 'shipped gesture model', pack: new Uint8Array(readFileSync(shipped)) },
  { name: 'small model', pack: writePack(smallModel(1)) },
];

/** @param eraseMs time in which the chip cannot listen, whatever its firmware does */
function printShares({ bytes, writeMs, verifyMs }: DeployReport, baudRate: number, eraseMs = 0): void {
  const limit = deployWireLimit(bytes, baudRate);
  const rows = [
    ['write', writeMs, limit.writeMs, eraseMs],
    ['verify', verifyMs, limit.verifyMs, 0],
    ['both', writeMs + verifyMs, limit.totalMs, eraseMs],
  ] as const;
  const percent = (best: number, ms: number): string => `${((100 * best) / ms).toFixed(1)} %`;
  for (const [name, ms, best, lost] of rows) {
    const bound = lost > 0 ? `, of at most ${percent(best, best + lost)} beside ${lost.toFixed(0)} ms of erasing` : '';
    console.log(
      `  ${name.padEnd(6)} ${ms.toFixed(0).padStart(7)}   wire limit ${best.toFixed(0).padStart(7)}   ${percent(best, ms)} of the wire's speed${bound}`,
    );
  }
}

for (const { name, pack } of packs) {
  for (const { baudRate, delayMs } of WIRES) {
    const time = createFakeTime();
    const link = createVirtualLink({ wasm, startHost: hostInThread(time), timing: time });
    const session = createSession(pacedLink(link, time, baudRate, delayMs), time);
    await time.until(session.connect({ baudRate }));
    const report = await time.until(session.deploy(pack));
    console.log(`deploy, ${name}, ${pack.length} bytes, ${baudRate} baud, ${delayMs} ms each way: simulated ms`);
    printShares(report, baudRate);
    await time.until(session.disconnect());
    link.dispose();
  }
}

for (const leastBytes of [8_000, 14_000]) {
  const pack = threeAxisPack(leastBytes);
  const [baudRate, delayMs] = [115_200, 2];
  const hex = readFileSync(join(process.cwd(), 'public/firmware/microbit-v1.hex'), 'utf8');
  const chip = new NrfChip(flashOfHex(hex));
  let pages = 0;
  chip.onFlash = ({ kind }, when) => void (kind === 'erase' && when === 'after' && pages++);
  const session = createSession(chip.link(delayMs), chip.timing);
  await chip.until(session.connect());
  const report = await chip.until(session.deploy(pack), 120_000);
  console.log(
    `deploy, micro:bit v1 on an emulated chip, ${pack.length} bytes, ${baudRate} baud, ${delayMs} ms each way: simulated ms`,
  );
  printShares(report, baudRate, (pages * NRF51822.eraseNanos) / 1e6);
}

{
  const pack = threeAxisPack(14_000);
  const baudRate = 115_200;
  const flash = new Uint8Array(PICO_FLASH_BYTES).fill(0xff);
  writeUf2(flash, new Uint8Array(readFileSync(join(process.cwd(), 'public/firmware/rp2040.uf2'))));
  const pico = new Pico(flash);
  const session = createSession(pico.uartLink(), pico.timing);
  await pico.until(session.connect());
  const report = await pico.until(session.deploy(pack), 120_000);
  console.log(`deploy, Pico on rp2040js over its UART, ${pack.length} bytes, ${baudRate} baud: simulated ms`);
  printShares(report, baudRate);
}
