/**
 * Our micro:bit firmware on an emulated chip that takes its time (nrf-chip.ts): what QEMU cannot show. Flash stops the
 * CPU while bytes arrive, accelerometers have registers, power fails at every single word, and v2's drivers run at all.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BoardSession, SampleBatch } from '../../src/board/board';
import { packId } from '../../src/board/deploy';
import { createMoteDialect, type MoteDialect } from '../../src/board/mote-dialect';
import { probeModel } from '../../src/board/probe-model';
import { createSession } from '../../src/board/session';
import { deployWireLimit } from '../fixtures/wire-limit';
import { crc32 } from '../../src/emit/crc32';
import { hexWithModel, parseSlotLayout } from '../../src/emit/microbit-hex';
import type { SlotLayout } from '../../src/emit/slot-image';
import { networkModel } from '../../src/emit/network-model';
import { compileBlock } from '../../src/dsp/compile';
import { buildModel } from '../../src/emit/build-model';
import type { Model } from '../../src/emit/model';
import { writePack } from '../../src/emit/pack';
import { elementCount } from '../../src/graph/float-graph';
import { Random } from '../../src/signal/random';
import { createRandom } from '../conformance/random-model';
import { randomOpGraph } from '../conformance/random-op-graph';
import { FLASH_BYTES, firmwareHex, flashOfHex } from './microbit-board';
import { root } from './native-program';
import { NRF51822, NRF52833, NrfChip, type FlashChange, type NrfParts } from './nrf-chip';
import { buildM4, missingM4 } from './nrf-core-m4';
import { threeAxisPack } from './three-axis-pack';
import { lsm303agr, mma8653, type FakeChip } from './twi-chips';

const layout = parseSlotLayout(JSON.parse(readFileSync(join(root, 'public/firmware/microbit-v1.json'), 'utf8')));
const fresh = flashOfHex(firmwareHex(1));
const BAUD = 115_200;
const MOST_LABELS = 256;
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

/** A model of one channel as one of the board's three, of which it looks at the first. */
function onThreeAxes(model: Model): Model {
  const features = model.affine.a.length;
  const input = { channels: BOARD.channels, rateHz: BOARD.rateHz, windowMs: 10 * features, strideMs: 10 * features };
  const { prefix, labels, affine, graph, smoothing, receipt } = model;
  const blocks = [compileBlock({ kind: 'raw', version: 1, channels: [0], params: { scale: 1 } }, input)];
  const generated = {
    windows: 16,
    seeds: 2,
    amplitude: 128 / (affine.a[0] as number),
    offset: -(affine.b[0] as number) / (affine.a[0] as number),
  };
  return buildModel({
    prefix,
    labels,
    input,
    blocks,
    affine,
    graph,
    smoothing,
    receipt,
    selfTestWindows: [],
    generated,
  });
}

/**
 * Deploys and says which share of the wire's speed was had: of what writing and reading back would take, and of writing
 * once without the time of the erased pages. No byte may be lost.
 */
async function deployShares(
  title: string,
  chip: NrfChip,
  session: BoardSession,
  pack: Uint8Array,
  parts: NrfParts,
): Promise<{ readonly ofWriteAndRead: number; readonly withoutErases: number }> {
  let erased = 0;
  chip.onFlash = ({ kind }, when) => void (kind === 'erase' && when === 'after' && erased++);
  const report = await chip.until(session.deploy(pack), 60_000);
  expect(report.selfTest.passed).toBe(report.selfTest.total);
  expect(chip.lostBytes).toBe(0);
  expect(chip.complaints).toEqual([]);
  const limit = deployWireLimit(pack.length, BAUD);
  const eraseMs = (erased * parts.eraseNanos) / 1e6;
  const share = (best: number, ms: number): string => `${((100 * best) / ms).toFixed(1)} %`;
  const total = report.writeMs + report.verifyMs;
  console.log(
    `${title}, ${pack.length} B at ${BAUD} baud, ${DELAY_MS} ms each way: written in ${report.writeMs.toFixed(0)} ms, ` +
      `compared in ${report.verifyMs.toFixed(0)} ms: ${share(limit.writeMs, total)} of what the wire allows for the pack ` +
      `once, where ${erased} erased pages, ${eraseMs.toFixed(0)} ms, leave no more than ${share(limit.writeMs, limit.writeMs + eraseMs)}`,
  );
  return { ofWriteAndRead: limit.totalMs / total, withoutErases: limit.writeMs / (total - eraseMs) };
}

/**
 * Deploys a model with the power failing in the middle of every word and page and behind them (of words of the pack only
 * every `sparse`th, in the middle of every `sparse / 8`th), boots what is left, and says which model ran how often.
 */
async function cutEverywhere(
  title: string,
  slots: SlotLayout,
  flashWith: (pack: Uint8Array) => Uint8Array,
  boot: (flash: Uint8Array) => NrfChip,
  sparse: number,
): Promise<{ readonly kept: number; readonly took: number }> {
  const [old, next] = [1, 2].map((seed) => writePack(probeModel(BOARD, seed, 4, 2))) as [Uint8Array, Uint8Array];
  const chip = boot(flashWith(old));
  const dialect = await greeted(chip);
  const slotBytes = Math.floor((slots.storageBytes / slots.eraseBytes - 2) / slots.slots) * slots.eraseBytes;
  const packAt = (slot: number): number => slots.storageAt + 2 * slots.eraseBytes + slot * slotBytes + 32;
  const states: { readonly change: FlashChange; readonly flash: Uint8Array; readonly torn: boolean }[] = [];
  const random = createRandom(7);
  let before = chip.flash.slice();
  let count = 0;
  chip.onFlash = (change, when) => {
    const isPackWord = change.address >= packAt(1) && change.kind === 'word';
    if (when === 'before') {
      before = chip.flash.slice();
      return;
    }
    // Behind a word of the pack is much like behind the next: each emulated start takes its time.
    if (isPackWord) count++;
    if (!isPackWord || count % (sparse / 8) === 0) {
      // Power fails in the middle: any bit of the touched bytes is as it was, or as it should be.
      const half = before.slice();
      for (let at = change.address; at < change.address + change.bytes; at++) {
        const mask = Math.floor(random() * 256);
        half[at] = ((before[at] as number) & mask) | ((chip.flash[at] as number) & ~mask);
      }
      states.push({ change, flash: half, torn: true });
    }
    if (!isPackWord || count % sparse === 0) states.push({ change, flash: chip.flash.slice(), torn: false });
  };
  await chip.until(dialect.put(1, next, crc32(next), () => undefined));
  await chip.until(dialect.activate(1));
  expect(chip.complaints).toEqual([]);
  chip.close();

  let [kept, took] = [0, 0];
  for (const [i, { flash, change }] of states.entries()) {
    const again = boot(flash);
    const board = await greeted(again);
    const active = (await again.until(board.slots())).filter((slot) => slot.active);
    again.close();
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
    `${title} power cuts: in the middle of ${torn.length - pages} words and ${pages} pages, and behind ` +
      `${states.length - torn.length} of them: ${states.length} boots, old model ${kept}, new model ${took}, neither 0`,
  );
  return { kept, took };
}

describe('micro:bit v1 on an emulated chip', () => {
  it('takes a model at 85 % of what the wire allows, though its flash stops it, and loses no byte', async () => {
    const chip = new NrfChip(fresh);
    const session = createSession(chip.link(DELAY_MS), chip.timing);
    await chip.until(session.connect());
    const had = await deployShares('micro:bit v1', chip, session, threeAxisPack(14_000), NRF51822);
    expect(had.ofWriteAndRead).toBeGreaterThanOrEqual(0.85);
    // Without the pages, which no firmware can hide: the pack over the wire once and nothing more.
    expect(had.withoutErases).toBeGreaterThanOrEqual(0.93);
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
    const { kept, took } = await cutEverywhere(
      'micro:bit v1',
      layout,
      (pack) => flashOfHex(hexWithModel(firmwareHex(1), layout, pack)),
      (flash) => new NrfChip(flash),
      8,
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

const missing = missingM4();

describe.skipIf(missing !== null)(
  `micro:bit v2 on an emulated Cortex-M4${missing === null ? '' : ` (${missing})`}`,
  () => {
    let folder: string;
    let core: string;
    const chips: NrfChip[] = [];
    const v2 = (flash: Uint8Array, twi: readonly FakeChip[] = []): NrfChip => {
      const chip = new NrfChip(flash, NRF52833, twi, core);
      chips.push(chip);
      return chip;
    };
    beforeAll(() => {
      folder = mkdtempSync(join(tmpdir(), 'mote-microbit-v2-'));
      core = buildM4(folder);
    });
    afterAll(() => {
      for (const chip of chips) chip.close();
      rmSync(folder, { recursive: true, force: true });
    });

    const layout2 = parseSlotLayout(JSON.parse(readFileSync(join(root, 'public/firmware/microbit-v2.json'), 'utf8')));
    const withModel = (pack: Uint8Array | null): Uint8Array => {
      const hex = firmwareHex(2);
      const flash = new Uint8Array(2 * FLASH_BYTES).fill(0xff);
      flash.set(flashOfHex(pack ? hexWithModel(hex, layout2, pack) : hex));
      return flash;
    };

    it('streams an LSM303AGR and takes models: the very firmware that the studio ships', async () => {
      const chip = v2(withModel(null), [lsm303agr({ g: [0, 0.5, -1] })]);
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
      await deployShares('micro:bit v2', chip, session, threeAxisPack(14_000), NRF52833);
      const two = await chip.until(session.deploy(writePack(probeModel(BOARD, 1))), 60_000);
      expect(two.slot).toBe(1);
      expect(chip.lostBytes).toBe(0);
      expect(chip.complaints).toEqual([]);
    }, 180_000);

    it('runs networks of every operation on the kernels of its core, with the known answers', async () => {
      const random = new Random(52);
      for (const group of ['fullyConnected', 'conv2d', 'depthwiseConv2d', 'pool', 'other'] as const) {
        for (let tried = 0; tried < 6; tried++) {
          let graph = randomOpGraph(group, random);
          while (elementCount(graph.tensors[graph.output]?.shape ?? []) > MOST_LABELS)
            graph = randomOpGraph(group, random);
          const pack = writePack(onThreeAxes(networkModel(graph, 'network', null)));
          const chip = v2(withModel(pack), [lsm303agr({ g: [0, 0, 1] })]);
          const board = await greeted(chip);
          const { passed, total } = await chip.until(
            board.selfTest(0, () => undefined),
            60_000,
          );
          chip.close();
          expect(total).toBeGreaterThan(0);
          expect(passed, `${group} ${tried}: ${graph.ops.map(({ kind }) => kind).join()}`).toBe(total);
          expect(chip.complaints).toEqual([]);
        }
      }
    }, 240_000);

    it('boots one of the two models when the power fails during a deploy', async () => {
      const boot = (flash: Uint8Array): NrfChip => v2(flash, [lsm303agr({ g: [0, 0, 1] })]);
      const { kept, took } = await cutEverywhere('micro:bit v2', layout2, withModel, boot, 64);
      expect(kept).toBeGreaterThan(50);
      expect(took).toBeGreaterThan(0);
    }, 240_000);
  },
);
