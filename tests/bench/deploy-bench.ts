/**
 * Time of a deploy against the wire's limit: the real firmware (wasm), the real session, and a wire that is paced on a
 * simulated clock, so that the figures do not depend on the machine. What a real board's flash costs is not in them.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createFakeTime } from '../../src/board/fake-time';
import { createSession } from '../../src/board/session';
import { smallModel } from '../../src/board/small-model';
import { hostInThread } from '../../src/board/virtual-board-host';
import { createVirtualLink } from '../../src/board/virtual-link';
import { deployWireLimit } from '../../src/board/wire-limit';
import { writePack } from '../../src/emit/pack';
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

for (const { name, pack } of packs) {
  for (const { baudRate, delayMs } of WIRES) {
    const time = createFakeTime();
    const link = createVirtualLink({ wasm, startHost: hostInThread(time), timing: time });
    const session = createSession(pacedLink(link, time, baudRate, delayMs), time);
    await time.until(session.connect({ baudRate }));
    const report = await time.until(session.deploy(pack));
    const limit = deployWireLimit(pack.length, baudRate);
    const share = (best: number, measured: number) => `${((100 * best) / measured).toFixed(0)} %`;
    console.log(`deploy, ${name}, ${pack.length} bytes, ${baudRate} baud, ${delayMs} ms each way: simulated ms`);
    console.log(
      `  write  ${report.writeMs.toFixed(0).padStart(7)}   wire limit ${limit.writeMs.toFixed(0).padStart(7)}   ${share(limit.writeMs, report.writeMs)} of the wire's speed`,
    );
    console.log(
      `  verify ${report.verifyMs.toFixed(0).padStart(7)}   wire limit ${limit.verifyMs.toFixed(0).padStart(7)}   ${share(limit.verifyMs, report.verifyMs)} of the wire's speed`,
    );
    await time.until(session.disconnect());
    link.dispose();
  }
}
