/** The committed firmware of the Raspberry Pi Pico on rp2040js, spoken to as the studio speaks to any board. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createSetupPacket, DataDirection, SetupRecipient, SetupType, type RP2040 } from 'rp2040js';
import { describe, expect, it } from 'vitest';
import type { BoardResult, BoardSession, SampleBatch } from '../../src/board/board';
import { deployPack, packId as idOf } from '../../src/board/deploy';
import type { Link } from '../../src/board/link';
import { createMoteDialect, type MoteDialect } from '../../src/board/mote-dialect';
import { probeModel } from '../../src/board/probe-model';
import { createSession } from '../../src/board/session';
import { windowFrames } from '../../src/dsp/block';
import { crc32 } from '../../src/emit/crc32';
import type { Model } from '../../src/emit/model';
import { writePack } from '../../src/emit/pack';
import { parseRp2040Layout, uf2WithModel } from '../../src/emit/rp2040-uf2';
import { createRunner } from '../../src/emit/run-model';
import { slotCapacity } from '../../src/emit/slot-image';
import { randomModel } from '../conformance/random-model';
import { root } from './native-program';
import { FLASH_BYTES, mpu6050, onI2c, Pico, UsbHost, writeUf2, type FlashOperation } from './rp2040-board';
import { lsm6ds } from './twi-chips';

const firmware = new Uint8Array(readFileSync(join(root, 'public/firmware/rp2040.uf2')));
const layout = parseRp2040Layout(JSON.parse(readFileSync(join(root, 'public/firmware/rp2040.json'), 'utf8')));
const f32 = Math.fround;
const ACC_ANALOG = f32(f32(f32(f32(f32(f32(3.3) / 4096) / 8) / f32(0.33)) * f32(9.80665)));
const ACC_MPU = f32(f32(9.80665) / 4096);
const GYR_MPU = f32(2000 / 32768);
type Way = 'uart' | 'usb';
const WAYS: readonly Way[] = ['uart', 'usb'];
/** In each direction. Every byte in turn, on a board whose firmware runs faster: src/board/fault-sweep.test.ts. */
const CABLE_CUTS: Readonly<Record<Way, number>> = { uart: 30, usb: 12 };

function flashed(file = firmware): Uint8Array {
  const flash = new Uint8Array(FLASH_BYTES).fill(0xff);
  writeUf2(flash, file);
  return flash;
}

interface Packed {
  readonly model: Model;
  readonly pack: Uint8Array;
}

/** A small model for so many channels, so that the emulator is soon done with it. */
function smallModel(channels: number, seed: number, labels: readonly string[]): Packed {
  for (let tried = seed; ; tried++) {
    const model = randomModel(tried, { labels });
    const { input } = model;
    if (input.channels.length !== channels || input.strideMs > input.windowMs || windowFrames(input) > 60) continue;
    const pack = writePack(model);
    if (pack.length < 8000) return { model, pack };
  }
}

const first = smallModel(3, 1, ['x', 'y', 'z']);
const second = smallModel(3, 500, ['a', 'b']);

const linkOf = (pico: Pico, way: Way): Link => (way === 'uart' ? pico.uartLink() : pico.usbLink());

interface Bench {
  readonly pico: Pico;
  readonly session: BoardSession;
}

async function connected(flash: Uint8Array, way: Way, prepare?: (chip: RP2040) => void): Promise<Bench> {
  const pico = new Pico(flash, prepare);
  const session = createSession(linkOf(pico, way), pico.timing);
  await pico.until(session.connect());
  return { pico, session };
}

/** Without the session's patience with boards that say nothing. */
async function greeted(pico: Pico, link: Link): Promise<MoteDialect> {
  const dialect = createMoteDialect(pico.timing, {
    send: (bytes) => link.write(bytes),
    onSamples: () => undefined,
    onResult: () => undefined,
  });
  await link.open({ baudRate: 115200 }, { onBytes: (bytes, at) => dialect.push(bytes, at), onLost: () => undefined });
  pico.run(60); // power-up, and the host finds the device
  const hello = await pico.until(dialect.hello());
  await pico.until(dialect.describe(hello));
  return dialect;
}

describe('Raspberry Pi Pico on rp2040js', () => {
  it.each(WAYS)('introduces itself and streams over %s', async (way) => {
    const { pico, session } = await connected(flashed(), way, (chip) => {
      [2048 + 137, 2048 - 300, 4095].forEach((value, axis) => (chip.adc.channelValues[axis] = value));
    });
    expect(session.identity).toMatchObject({
      dialect: 'mote',
      name: 'Raspberry Pi Pico',
      serial: 'e6605838832a4c2b',
      channels: ['accX', 'accY', 'accZ'].map((name) => ({ name, unit: 'm/s2' })),
      modelRamBytes: layout.modelRamBytes,
      ratesHz: [50, 100, 200],
    });
    expect(session.identity?.slots.map(({ capacityBytes }) => capacityBytes)).toEqual(
      Array(layout.slots).fill(slotCapacity(layout)),
    );
    const batches: SampleBatch[] = [];
    session.on('samples', (batch) => batches.push(batch));
    await pico.until(session.startStream({ rateHz: 200 }));
    await pico.pause(500);
    await pico.until(session.stopStream());
    const frames = batches.reduce((sum, batch) => sum + batch.frames, 0);
    expect(frames).toBeGreaterThanOrEqual(98);
    expect(frames).toBeLessThanOrEqual(102);
    expect(batches.every(({ lostBefore }) => lostBefore === 0)).toBe(true);
    const times = batches.map(({ boardTimeUs, sequence }) => (boardTimeUs ?? 0) - 5000 * (sequence ?? 0));
    expect(new Set(times).size).toBe(1);
    const values = [137 * 8, -300 * 8, 2047 * 8].map((raw) => f32(raw * ACC_ANALOG));
    for (const { samples } of batches) samples.forEach((value, i) => expect(value).toBe(values[i % 3]));
    // As an ADXL335 at 3.3 V would mean it: 137 steps of 0.8 mV at 330 mV per g.
    expect(values[0]).toBeCloseTo(((137 * 3.3) / 4096 / 0.33) * 9.80665, 4);
    expect(pico.complaints).toEqual([]);
  });

  it.each(WAYS)('takes models over %s, keeps them, and goes back to the former one', async (way) => {
    const { pico, session } = await connected(flashed(), way);
    const one = await pico.until(session.deploy(first.pack));
    expect(one).toMatchObject({ slot: 0, modelId: idOf(first.pack) });
    expect(one.selfTest).toMatchObject({ passed: one.selfTest.total, firstFailure: null });
    const two = await pico.until(session.deploy(second.pack));
    expect(two).toMatchObject({ slot: 1, modelId: idOf(second.pack) });
    expect(two.selfTest.passed).toBe(two.selfTest.total);
    expect(two.selfTest.total).toBeGreaterThan(0);
    const runner = createRunner(second.model);
    const window = Float32Array.from({ length: runner.frames * 3 }, (_, i) => 9 * Math.sin(i / 5));
    const wanted = runner.classify(window);
    const got = await pico.until(session.classify(window));
    expect([...got.scores]).toEqual([...wanted.scores]);
    expect(got.featureCrc).toBe(wanted.featureCrc);
    await pico.until(session.activateSlot(0));
    expect(await pico.until(session.readModel())).toEqual(first.pack);
    pico.powerOff();
    expect(pico.complaints).toEqual([]);
    const again = await connected(pico.flash, way);
    expect(again.session.identity?.slots.map(({ active, model }) => [active, model?.id])).toEqual([
      [true, idOf(first.pack)],
      [false, idOf(second.pack)],
    ]);
    console.log(
      `Pico over ${way}: ${first.pack.length} B written in ${Math.round(one.writeMs)} ms and read back in ` +
        `${Math.round(one.verifyMs)} ms of the chip's time; self-test ${one.selfTest.averageUs} µs a window`,
    );
  });

  it('boots a valid model after a power cut in or after every erase and program of a deploy', async () => {
    const before = new Pico(flashed());
    const dialect = await greeted(before, before.usbLink());
    const deploy = async (store: MoteDialect, pico: Pico, slot: number, pack: Uint8Array): Promise<void> => {
      await pico.until(store.put(slot, pack, crc32(pack), () => undefined));
      await pico.until(store.activate(slot));
    };
    await deploy(dialect, before, 0, first.pack);
    before.recording = true;
    await deploy(dialect, before, 1, second.pack);
    const { operations } = before;
    expect(operations.filter(({ kind }) => kind === 'erase').length).toBeGreaterThan(0);
    /** Power fails in the middle: half of it is done. */
    const torn = ({ offset, count, before: whole, after }: FlashOperation): Uint8Array => {
      const flash = whole.slice();
      flash.set(after.subarray(offset, offset + count / 2), offset);
      return flash;
    };
    let old = 0;
    let fresh = 0;
    for (const [i, flash] of operations.flatMap((operation) => [torn(operation), operation.after]).entries()) {
      const pico = new Pico(flash);
      const board = await greeted(pico, pico.usbLink());
      const active = (await pico.until(board.slots())).filter((slot) => slot.active);
      expect(active.length, `cut ${i}`).toBe(1);
      const [slot] = active;
      const { pack } = slot?.index === 0 ? first : second;
      expect(await pico.until(board.read(slot?.index ?? 0, pack.length, () => undefined))).toEqual(pack);
      if (slot?.index === 0) old++;
      else fresh++;
    }
    const erases = operations.filter(({ kind }) => kind === 'erase').length;
    console.log(
      `Pico power cuts: ${operations.length} flash operations (${erases} erases), each cut in the middle and at its ` +
        `end: ${old + fresh} boots, old model ${old}, new model ${fresh}, neither 0`,
    );
    expect(old + fresh).toBe(2 * operations.length);
    expect(old).toBeGreaterThan(20);
    expect(fresh).toBeGreaterThan(0);
  }, 180_000);

  it.each(WAYS)(
    'boots a valid model wherever the cable is cut in a deploy over %s',
    async (way) => {
      const board = { channels: ['x', 'y', 'z'].map((name) => ({ name, unit: 'm/s2' })), rateHz: 100 };
      // Few known answers: the emulator has to start twice for every cut.
      const [old, fresh] = [1, 2].map((seed) => writePack(probeModel(board, seed, 4, 2))) as [Uint8Array, Uint8Array];
      const loaded = flashed(uf2WithModel(firmware, layout, old));

      /** A deploy that ends for lack of power when so many bytes went one way; null: it comes to its end. */
      async function deployed(cut: { way: 'toBoard' | 'toHost'; after: number } | null): Promise<Pico> {
        const pico = new Pico(loaded);
        const dialect = await greeted(pico, linkOf(pico, way));
        pico.wire.toBoard = pico.wire.toHost = 0;
        if (cut) {
          pico.onWire = () => {
            if (pico.wire[cut.way] >= cut.after) pico.powerOff();
          };
        }
        let ended: unknown = null;
        deployPack(dialect, { name: 'Pico', modelRamBytes: layout.modelRamBytes }, fresh, {
          clock: () => pico.nowMs,
        }).then(
          (report) => (ended = report),
          (error: unknown) => (ended = error),
        );
        const limit = pico.nowMs + 5000;
        while (!pico.isOff && ended === null && pico.nowMs < limit) {
          await new Promise((resolve) => setImmediate(resolve));
          pico.run(0.2);
        }
        if (cut === null) expect(ended).toMatchObject({ slot: 1, modelId: idOf(fresh) });
        else expect(pico.isOff).toBe(true);
        return pico;
      }

      const { wire: totals } = await deployed(null);
      let [cuts, kept, took] = [0, 0, 0];
      for (const direction of ['toBoard', 'toHost'] as const) {
        const total = totals[direction];
        // Evenly spread, and every byte of the last frame: the request to switch, or its answer.
        const last = Array.from({ length: 10 }, (_, i) => total - i);
        const spread = Array.from({ length: CABLE_CUTS[way] }, (_, i) => 1 + Math.floor((i * total) / CABLE_CUTS[way]));
        for (const after of new Set([...spread, ...last])) {
          const { flash } = await deployed({ way: direction, after });
          const pico = new Pico(flash);
          const dialect = await greeted(pico, pico.usbLink());
          const active = (await pico.until(dialect.slots())).filter((slot) => slot.active);
          expect(active.length, `${direction} ${after}`).toBe(1);
          const pack = active[0]?.index === 0 ? old : fresh;
          const read = await pico.until(dialect.read(active[0]?.index ?? 0, pack.length, () => undefined));
          expect(read, `${direction} ${after}`).toEqual(pack);
          cuts++;
          if (active[0]?.index === 0) kept++;
          else took++;
        }
      }
      console.log(
        `Pico, cable and power cut in a deploy over ${way}: ${cuts} of ${totals.toBoard} + ${totals.toHost} places: ` +
          `old model ${kept}, new model ${took}, neither 0`,
      );
      expect(kept).toBeGreaterThan(CABLE_CUTS[way]);
      expect(took).toBeGreaterThan(0);
    },
    180_000,
  );

  it('runs the model of its .uf2 from the first start, whatever was in its slots', async () => {
    const used = new Pico(flashed());
    const dialect = await greeted(used, used.usbLink());
    for (const slot of [1, 0, 1]) {
      await used.until(dialect.put(slot, second.pack, crc32(second.pack), () => undefined));
      await used.until(dialect.activate(slot));
    }
    const file = uf2WithModel(firmware, layout, first.pack);
    for (const flash of [new Uint8Array(FLASH_BYTES).fill(0xff), used.flash]) {
      writeUf2(flash, file);
      const pico = new Pico(flash);
      const board = await greeted(pico, pico.usbLink());
      const slots = await pico.until(board.slots());
      expect(slots[0]).toMatchObject({ active: true, model: { id: idOf(first.pack) } });
      const test = await pico.until(board.selfTest(0, () => undefined));
      expect(test.passed).toBe(test.total);
      // And the next one goes over the cable.
      await pico.until(board.put(1, second.pack, crc32(second.pack), () => undefined));
      expect(await pico.until(board.activate(1))).toBe(idOf(second.pack));
    }
  });

  it('reads an MPU-6050 when one answers, and classifies what it measures as the interpreter does', async () => {
    const raw = [4096, -4096, 2048, 0, 1000, -2000, 16384];
    const six = smallModel(6, 900, ['x', 'y', 'z']);
    const { pico, session } = await connected(flashed(uf2WithModel(firmware, layout, six.pack)), 'usb', mpu6050(raw));
    expect(session.identity?.channels.map(({ name }) => name)).toEqual([
      'accX',
      'accY',
      'accZ',
      'gyrX',
      'gyrY',
      'gyrZ',
    ]);
    const frame = [4096 * ACC_MPU, -4096 * ACC_MPU, 2048 * ACC_MPU, 1000 * GYR_MPU, -2000 * GYR_MPU, 16384 * GYR_MPU];
    const results: BoardResult[] = [];
    const batches: SampleBatch[] = [];
    session.on('result', (result) => results.push(result));
    session.on('samples', (batch) => batches.push(batch));
    await pico.until(session.startStream());
    await pico.until(session.setClassifying(true));
    await pico.pause(1500);
    await pico.until(session.disconnect());
    for (const { samples } of batches) samples.forEach((value, i) => expect(value).toBe(f32(frame[i % 6] as number)));
    const runner = createRunner(six.model);
    const window = Float32Array.from({ length: runner.frames * 6 }, (_, i) => frame[i % 6] as number);
    const wanted = runner.classify(window);
    expect(results.length).toBeGreaterThan(0);
    for (const result of results) {
      expect([...result.scores]).toEqual([...wanted.scores]);
      expect(result.featureCrc).toBe(wanted.featureCrc);
    }
    expect(pico.complaints).toEqual([]);
  });

  it.each([
    ['LSM6DS3', 0x69, 0x6a],
    ['LSM6DS3TR-C', 0x6a, 0x6b],
    ['LSM6DSO', 0x6c, 0x6a],
  ])('measures with an %s: order, steps, range', async (_, who, address) => {
    const chip = lsm6ds(who, { g: [0.25, -1, 2], dps: [10, -250, 1500] }, address);
    const { pico, session } = await connected(flashed(), 'usb', onI2c(chip));
    expect(session.identity?.channels).toEqual([
      ...['accX', 'accY', 'accZ'].map((name) => ({ name, unit: 'm/s2' })),
      ...['gyrX', 'gyrY', 'gyrZ'].map((name) => ({ name, unit: 'deg/s' })),
    ]);
    // Faster than it is ever read.
    expect(chip.rateHz).toBe(416);
    const batches: SampleBatch[] = [];
    session.on('samples', (batch) => batches.push(batch));
    await pico.until(session.startStream({ rateHz: 200 }));
    await pico.pause(200);
    expect(batches.length).toBeGreaterThan(5);
    const felt = [...chip.motion.g.map((g) => g * 9.80665), ...(chip.motion.dps ?? [])];
    // Half a step of 0.244 mg or 70 mdeg/s.
    const within = [0.0012, 0.0012, 0.0012, 0.0351, 0.0351, 0.0351];
    for (const { samples } of batches) {
      samples.forEach((value, i) => {
        expect(Math.abs(value - (felt[i % 6] as number))).toBeLessThan(within[i % 6] as number);
      });
    }
    // Up to 8 g and 2000 deg/s, and no wrapping beyond.
    chip.motion = { g: [7.9, -7.9, 20], dps: [1990, -1990, 9000] };
    await pico.pause(50);
    batches.length = 0;
    await pico.pause(50);
    const last = [...(batches.at(-1)?.samples ?? [])].slice(-6).map((value, i) => (i < 3 ? value / 9.80665 : value));
    const most = [7.9, -7.9, 7.995, 1990, -1990, 2293.7];
    last.forEach((value, i) => expect(value).toBeCloseTo(most[i] as number, i < 3 ? 2 : 0));
    expect(last).toHaveLength(6);
    expect(pico.complaints).toEqual([]);
  });

  it('speaks with whoever greeted last; noise takes nothing over', async () => {
    const pico = new Pico(flashed());
    const [usb, uart] = [pico.usbLink(), pico.uartLink()];
    const overUsb = await greeted(pico, usb);
    await pico.until(overUsb.startStream(100));
    pico.chip.uart[0]?.feedByte(0);
    for (let i = 0; i < 20; i++) pico.chip.uart[0]?.feedByte((i * 37) & 255);
    pico.run(20);
    expect((await pico.until(overUsb.slots())).length).toBe(2);
    const overUart = await greeted(pico, uart);
    expect((await pico.until(overUart.slots())).length).toBe(2);
    await pico.until(overUsb.hello());
    expect((await pico.until(overUsb.slots())).length).toBe(2);
    expect(pico.complaints).toEqual([]);
  });

  it('keeps its line coding, stalls what it does not know, and leaves for the boot loader when asked by 1200 baud', () => {
    const pico = new Pico(flashed());
    const host = new UsbHost(pico);
    pico.run(60);
    expect(host.connected).toBe(true);
    const { usbCtrl } = pico.chip;
    const answers: number[][] = [];
    usbCtrl.onEndpointWrite = (endpoint, bytes) => {
      if (endpoint === 0) answers.push([...bytes]);
    };
    const setup = (
      dataDirection: DataDirection,
      type: SetupType,
      bRequest: number,
      wValue: number,
      wLength: number,
    ): number[][] => {
      answers.length = 0;
      const recipient = type === SetupType.Class ? SetupRecipient.Interface : SetupRecipient.Device;
      usbCtrl.sendSetupPacket(
        createSetupPacket({ dataDirection, type, recipient, bRequest, wValue, wIndex: 0, wLength }),
      );
      pico.run(1);
      return answers.slice();
    };
    const { HostToDevice, DeviceToHost } = DataDirection;
    const text = (index: number): string => {
      const [bytes] = setup(DeviceToHost, SetupType.Standard, 6, 0x300 | index, 255);
      return new TextDecoder('utf-16le').decode(Uint8Array.from(bytes ?? []).subarray(2));
    };
    const [device] = setup(DeviceToHost, SetupType.Standard, 6, 0x100, 64);
    expect(device?.slice(0, 18)).toEqual([18, 1, 0, 2, 2, 0, 0, 64, 0x8a, 0x2e, 0x0a, 0, 0, 1, 1, 2, 3, 1]);
    expect([text(1), text(2), text(3)]).toEqual(['Mote', 'Mote on Raspberry Pi Pico', 'e6605838832a4c2b']);
    expect(setup(DeviceToHost, SetupType.Standard, 6, 0x600, 10)).toEqual([]);
    expect(pico.chip.readUint32(0x50110068)).toBe(3);
    const coding = [0xb0, 0x04, 0, 0, 0, 0, 8];
    setup(HostToDevice, SetupType.Class, 0x20, 0, 7);
    usbCtrl.endpointReadDone(0, Uint8Array.from(coding));
    pico.run(1);
    expect(answers).toEqual([[]]);
    expect(setup(DeviceToHost, SetupType.Class, 0x21, 0, 7)).toEqual([coding]);
    setup(HostToDevice, SetupType.Class, 0x22, 3, 0);
    pico.run(5);
    expect(pico.bootDriveAsked).toBe(false);
    setup(HostToDevice, SetupType.Class, 0x22, 0, 0);
    pico.run(5);
    expect(pico.bootDriveAsked).toBe(true);
  });
});
