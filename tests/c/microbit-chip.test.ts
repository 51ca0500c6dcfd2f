/**
 * Our micro:bit firmware on an emulated chip that takes its time (nrf-chip.ts): what QEMU cannot show. Flash stops the
 * CPU while bytes arrive, accelerometers have registers, power fails at every single word, and v2's drivers run at all.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { missingTools } from '../../scripts/build-firmware.mjs';
import type { SampleBatch } from '../../src/board/board';
import { packId } from '../../src/board/deploy';
import { createMoteDialect, type MoteDialect } from '../../src/board/mote-dialect';
import { probeModel } from '../../src/board/probe-model';
import { createSession } from '../../src/board/session';
import { deployWireLimit } from '../fixtures/wire-limit';
import { crc32 } from '../../src/emit/crc32';
import { hexWithModel, parseSlotLayout } from '../../src/emit/microbit-hex';
import { writePack } from '../../src/emit/pack';
import { compile } from '../../firmware/boards/microbit/compile.mjs';
import { createRandom } from '../conformance/random-model';
import { FLASH_BYTES, firmwareHex, flashOfHex } from './microbit-board';
import { root } from './native-program';
import { NRF51822, NRF52833, NrfChip, type FlashChange } from './nrf-chip';
import { threeAxisPack } from './three-axis-pack';
import { lsm303agr, mma8653, type FakeChip } from './twi-chips';

const layout = parseSlotLayout(JSON.parse(readFileSync(join(root, 'public/firmware/microbit-v1.json'), 'utf8')));
const fresh = flashOfHex(firmwareHex(1));
const BAUD = 115_200;
/** USB and the interface chip, each way. */
const DELAY_MS = 2;
const PER_STEP = Math.fround(Math.fround(9.80665) / 8192);
const BOARD = { channels: ['x', 'y', 'z'].map((name) => ({ name, unit: 'm/s2' })), rateHz: 100 };

async function greeted(chip: NrfChip, delayMs = 0): Promise<MoteDialect> {
  const link = chip.link(delayMs);
  const dialect = createMoteDialect(chip.timing, {
    send: (bytes) => link.write(bytes),
    onSamples: () => undefined,
    onResult: () => undefined,
  });
  await link.open({ baudRate: BAUD }, { onBytes: (bytes, at) => dialect.push(bytes, at), onLost: () => undefined });
  chip.run(5); // power-up
  await chip.until(dialect.hello());
  return dialect;
}

describe('micro:bit v1 on an emulated chip', () => {
  it('takes a model at 85 % of what the wire allows, though its flash stops it, and loses no byte', async () => {
    const pack = threeAxisPack(14_000);
    const chip = new NrfChip(fresh);
    const session = createSession(chip.link(DELAY_MS), chip.timing);
    await chip.until(session.connect());
    let erased = 0;
    chip.onFlash = ({ kind }, when) => void (kind === 'erase' && when === 'after' && erased++);
    const report = await chip.until(session.deploy(pack), 60_000);
    expect(report.selfTest.passed).toBe(report.selfTest.total);
    expect(chip.lostBytes).toBe(0);
    expect(chip.complaints).toEqual([]);
    const limit = deployWireLimit(pack.length, BAUD);
    const eraseMs = (erased * NRF51822.eraseNanos) / 1e6;
    const share = (best: number, ms: number): string => `${((100 * best) / ms).toFixed(1)} %`;
    const total = report.writeMs + report.verifyMs;
    console.log(
      `micro:bit v1, ${pack.length} B at ${BAUD} baud, ${DELAY_MS} ms each way: written in ${report.writeMs.toFixed(0)} ms ` +
        `(${share(limit.writeMs, report.writeMs)} of the wire), read back in ${report.verifyMs.toFixed(0)} ms ` +
        `(${share(limit.verifyMs, report.verifyMs)}), together ${share(limit.totalMs, total)}; ${erased} pages take ` +
        `${eraseMs.toFixed(0)} ms, so no more than ${share(limit.totalMs, limit.totalMs + eraseMs)} could be had`,
    );
    expect(limit.totalMs / total).toBeGreaterThanOrEqual(0.85);
  }, 120_000);

  it('loses no byte either while it streams and classifies meanwhile', async () => {
    const first = writePack(probeModel(BOARD, 1));
    const chip = new NrfChip(flashOfHex(hexWithModel(firmwareHex(1), layout, first)));
    const session = createSession(chip.link(DELAY_MS), chip.timing);
    await chip.until(session.connect());
    await chip.until(session.startStream({ rateHz: 200 }));
    await chip.until(session.setClassifying(true));
    const report = await chip.until(session.deploy(writePack(probeModel(BOARD, 2))), 60_000);
    expect(report.slot).toBe(1);
    expect(chip.lostBytes).toBe(0);
    expect(chip.complaints).toEqual([]);
  }, 120_000);

  it('boots one of the two models when the power fails at any word or page of a deploy', async () => {
    const [old, next] = [1, 2].map((seed) => writePack(probeModel(BOARD, seed, 4, 2))) as [Uint8Array, Uint8Array];
    const chip = new NrfChip(flashOfHex(hexWithModel(firmwareHex(1), layout, old)));
    const dialect = await greeted(chip);
    const slotBytes = Math.floor((layout.storageBytes / layout.eraseBytes - 2) / layout.slots) * layout.eraseBytes;
    const packAt = (slot: number): number => layout.storageAt + 2 * layout.eraseBytes + slot * slotBytes + 32;
    const states: { readonly change: FlashChange; readonly flash: Uint8Array; readonly torn: boolean }[] = [];
    const random = createRandom(7);
    let before = chip.flash.slice();
    let count = 0;
    chip.onFlash = (change, when) => {
      if (when === 'before') {
        before = chip.flash.slice();
        return;
      }
      // Power fails in the middle: any bit of the touched bytes is as it was, or as it should be.
      const half = before.slice();
      for (let at = change.address; at < change.address + change.bytes; at++) {
        const mask = Math.floor(random() * 256);
        half[at] = ((before[at] as number) & mask) | ((chip.flash[at] as number) & ~mask);
      }
      states.push({ change, flash: half, torn: true });
      // Behind a word of the pack is much like behind the next: each emulated start takes its time.
      const isPackWord = change.address >= packAt(1) && change.kind === 'word';
      if (!isPackWord || count++ % 8 === 0) states.push({ change, flash: chip.flash.slice(), torn: false });
    };
    await chip.until(dialect.put(1, next, crc32(next), () => undefined));
    await chip.until(dialect.activate(1));
    expect(chip.complaints).toEqual([]);

    let [kept, took] = [0, 0];
    for (const [i, { flash, change }] of states.entries()) {
      const again = new NrfChip(flash);
      const board = await greeted(again);
      const active = (await again.until(board.slots())).filter((slot) => slot.active);
      const where = `${change.kind} at ${change.address.toString(16)}, state ${i}`;
      expect(active.length, where).toBe(1);
      const slot = active[0]?.index as number;
      const pack = slot === 0 ? old : next;
      // The firmware checked the CRC of what it runs; the id says which model that is, the bytes are there.
      expect(active[0]?.model?.id, where).toBe(packId(pack));
      expect(flash.subarray(packAt(slot), packAt(slot) + pack.length), where).toEqual(pack);
      if (slot === 0) kept++;
      else took++;
    }
    const torn = states.filter((state) => state.torn);
    const pages = torn.filter(({ change }) => change.kind === 'erase').length;
    console.log(
      `micro:bit v1 power cuts: in the middle of each of ${torn.length - pages} words and ${pages} pages, and behind ` +
        `${states.length - torn.length} of them: ${states.length} boots, old model ${kept}, new model ${took}, neither 0`,
    );
    expect(kept).toBeGreaterThan(400);
    expect(took).toBeGreaterThan(0);
  }, 180_000);

  it.each([
    ['MMA8653FC', mma8653, [-1, 1, 1], [1, 0]],
    ['LSM303AGR', lsm303agr, [-1, -1, 1], [1, 0]],
  ] as const)('measures with a %s: axes, steps and rate', async (_, fake, sign, from) => {
    const accelerometer: FakeChip = fake({ g: [0.25, -0.5, 1] });
    const chip = new NrfChip(fresh, NRF51822, [accelerometer]);
    const session = createSession(chip.link(), chip.timing);
    const identity = await chip.until(session.connect());
    expect(identity).toMatchObject({ name: 'micro:bit v1', firmware: '0.1.0' });
    expect(identity.channels.map(({ name }) => name)).toEqual(['accX', 'accY', 'accZ']);
    const batches: SampleBatch[] = [];
    session.on('samples', (batch) => batches.push(batch));
    for (const rateHz of [50, 100, 200]) {
      await chip.until(session.startStream({ rateHz }));
      await chip.pause(300);
      expect(accelerometer.rateHz).toBe(2 * rateHz);
    }
    await chip.until(session.stopStream());
    const { g } = accelerometer.motion;
    const steps = [g[from[0]] * sign[0], g[from[1]] * sign[1], g[2] * sign[2]].map((value) => 8192 * value);
    const expected = steps.map((value) => Math.fround(value * PER_STEP));
    expect(batches.reduce((sum, batch) => sum + batch.frames, 0)).toBeGreaterThan(90);
    for (const { samples } of batches) samples.forEach((value, i) => expect(value).toBe(expected[i % 3]));
    // The same in words: a quarter of g in m/s2.
    expect(Math.max(...expected.map(Math.abs))).toBeCloseTo(9.80665, 5);
    // Beyond its range it saturates and does not wrap.
    accelerometer.motion = { g: [9, -9, 9] };
    batches.length = 0;
    await chip.until(session.startStream({ rateHz: 100 }));
    await chip.pause(100);
    const last = [...(batches.at(-1)?.samples ?? [])].slice(-3);
    const directions = [-sign[0], sign[1], 1];
    last.forEach((value, axis) => expect(value * (directions[axis] ?? 0)).toBeGreaterThan(38));
    expect(chip.complaints).toEqual([]);
  });
});

const missing = await missingTools('microbit-v2');

describe.skipIf(missing.length > 0)(
  `micro:bit v2's drivers${missing.length > 0 ? ` (no ${missing.join()})` : ''}`,
  () => {
    let folder: string;
    beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), 'mote-microbit-v2-'))));
    afterAll(() => rmSync(folder, { recursive: true, force: true }));

    // There is no emulator of a Cortex-M4 with these peripherals: the same sources, compiled for the core that there is.
    it('stream an LSM303AGR and take a model, compiled for a Cortex-M0', async () => {
      const { files } = compile(root, folder, 2, ['-mcpu=cortex-m0', '-mthumb']);
      const hex = readFileSync(join(folder, files[0] as string), 'utf8');
      const flash = new Uint8Array(2 * FLASH_BYTES).fill(0xff);
      flash.set(flashOfHex(hex));
      const chip = new NrfChip(flash, NRF52833, [lsm303agr({ g: [0, 0.5, -1] })]);
      const session = createSession(chip.link(DELAY_MS), chip.timing);
      const identity = await chip.until(session.connect());
      expect(identity).toMatchObject({ name: 'micro:bit v2', firmware: '0.1.0', serial: '89abcdef01234567' });
      const batches: SampleBatch[] = [];
      session.on('samples', (batch) => batches.push(batch));
      await chip.until(session.startStream({ rateHz: 100 }));
      await chip.pause(200);
      await chip.until(session.stopStream());
      const expected = [-4096, 0, -8192].map((value) => Math.fround(value * PER_STEP));
      expect(batches.length).toBeGreaterThan(5);
      for (const { samples } of batches)
        samples.forEach((value, i) => expect(value).toBeCloseTo(expected[i % 3] ?? 0, 6));
      // P0.06 sends, P1.08 receives; the bus inside the board is on P0.08 and P0.16 (nrf.h).
      expect([6, 40, 8, 16].map((pin) => chip.pins.get(pin))).toEqual([3, 0, 0x60c, 0x60c]);
      const one = await chip.until(session.deploy(writePack(probeModel(BOARD, 1))), 60_000);
      const two = await chip.until(session.deploy(threeAxisPack(11_000)), 60_000);
      expect([one.slot, two.slot]).toEqual([0, 1]);
      expect(two.selfTest.passed).toBe(two.selfTest.total);
      expect(chip.lostBytes).toBe(0);
      expect(chip.complaints).toEqual([]);
    }, 120_000);
  },
);
