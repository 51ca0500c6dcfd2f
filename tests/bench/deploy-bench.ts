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
import { probeModel } from '../../src/board/probe-model';
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
const sixAxes = { channels: Array.from({ length: 6 }, (_, i) => ({ name: `c${i}`, unit: '' })), rateHz: 100 };
const threeAxes = { channels: sixAxes.channels.slice(0, 3), rateHz: 100 };
const packs = [
  { name: 'shipped gesture model', pack: new Uint8Array(readFileSync(shipped)) },
  { name: 'small model', pack: writePack(smallModel(1)) },
  { name: 'smallest model', pack: writePack(probeModel(sixAxes, 1, 4, 2)) },
];
const chipPacks = [writePack(probeModel(threeAxes, 1, 8, 8)), threeAxisPack(8_000), threeAxisPack(14_000)];

/**
 * 100 % is the time in which the frames that carry the pack cross the wire once. From the first byte of the put to the
 * board's word on what its flash holds, everything counts.
 * @param eraseMs time in which the chip cannot listen, whatever its firmware does
 */
function printShares({ bytes, writeMs, verifyMs }: DeployReport, baudRate: number, eraseMs = 0): void {
  const once = deployWireLimit(bytes, baudRate).writeMs;
  const percent = (best: number, ms: number): string => `${((100 * best) / ms).toFixed(1)} %`;
  const bound =
    eraseMs > 0 ? `, of at most ${percent(once, once + eraseMs)} beside ${eraseMs.toFixed(0)} ms of erasing` : '';
  console.log(
    `  write ${writeMs.toFixed(0)} + verify ${verifyMs.toFixed(0)} = ${(writeMs + verifyMs).toFixed(0)}   wire limit ` +
      `${once.toFixed(0)}   ${percent(once, writeMs + verifyMs)} of the wire's speed${bound}`,
  );
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

for (const pack of chipPacks) {
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

for (const pack of chipPacks) {
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
