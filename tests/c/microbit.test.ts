/** Our micro:bit v1 firmware in QEMU, driven by the studio's own session. v2: microbit-chip.test.ts. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { BoardResult, BoardSession, SampleBatch } from '../../src/board/board';
import { createSession } from '../../src/board/session';
import { systemTiming } from '../../src/board/timing';
import { MESSAGE } from '../../src/board/wire';
import { crc32 } from '../../src/emit/crc32';
import { hexWithModel, parseSlotLayout } from '../../src/emit/microbit-hex';
import { packId, writePack } from '../../src/emit/pack';
import { createRunner } from '../../src/emit/run-model';
import { slotCapacity } from '../../src/emit/slot-image';
import { randomModel } from '../conformance/random-model';
import {
  firmwareHex,
  flashOfHex,
  missingEmulator,
  RAM_BYTES,
  startMicrobit,
  type MicrobitBoard,
} from './microbit-board';
import { u8, u32 } from './mote-client';
import { root } from './native-program';

const layout = parseSlotLayout(
  JSON.parse(readFileSync(join(root, 'public/firmware/microbit-v1.json'), 'utf8')) as unknown,
);
/** Bytes of a pack in one request: the board's longest body without the offset. */
const CHUNK = 508;
/** Kept free by the linker (firmware/boards/microbit/compile.mjs). */
const STACK_BYTES = 2048;
const PER_STEP = Math.fround(Math.fround(9.80665) / 8192);

function threeAxisModel(seed: number, labels: readonly string[], prefix: string) {
  for (let tried = seed; ; tried++) {
    const model = randomModel(tried, {
      channels: 3,
      labels,
      prefix,
      hidden: [12],
      blocks: [
        {
          kind: 'flatten',
          version: 1,
          channels: [0, 1, 2],
          params: {
            scale: 1,
            average: true,
            minimum: true,
            maximum: true,
            rms: true,
            stdev: true,
            skewness: false,
            kurtosis: false,
          },
        },
      ],
    });
    if (model.input.rateHz === 100 && model.input.strideMs > 100 && model.input.strideMs <= model.input.windowMs)
      return { model, pack: writePack(model) };
  }
}

/** The frames that the firmware's test signal gives, from frame `n` on (head of firmware/boards/microbit/main.c). */
function testSignal(n: number): number[] {
  const fold = (at: number): number => {
    const phase = at & 127;
    return 128 * ((phase < 64 ? phase : 128 - phase) - 32);
  };
  return [fold(n), fold(2 * n), 8192].map((raw) => Math.fround(raw * PER_STEP));
}

describe.skipIf(missingEmulator !== null)(
  `micro:bit v1${missingEmulator === null ? '' : ` (${missingEmulator})`}`,
  () => {
    const first = threeAxisModel(1, ['still', 'wave'], 'first');
    const second = threeAxisModel(500, ['up', 'down', 'round'], 'second');
    const fresh = flashOfHex(firmwareHex(1));
    let folder: string;
    const boards: MicrobitBoard[] = [];
    const sessions: BoardSession[] = [];
    beforeAll(() => {
      folder = mkdtempSync(join(tmpdir(), 'mote-microbit-'));
    });
    afterEach(async () => {
      await Promise.all(sessions.splice(0).map((session) => session.disconnect()));
      await Promise.all(boards.splice(0).map((board) => board.kill()));
    });
    afterAll(() => rmSync(folder, { recursive: true, force: true }));

    async function start(flash: Uint8Array): Promise<MicrobitBoard> {
      const board = await startMicrobit(flash, folder);
      boards.push(board);
      return board;
    }

    function sessionWith(board: MicrobitBoard): BoardSession {
      const session = createSession(board.link, systemTiming);
      sessions.push(session);
      return session;
    }

    /** Bytes at the top of RAM that the stack has reached: QEMU's RAM is zero at first. */
    async function stackUsed(board: MicrobitBoard): Promise<number> {
      const ram = await board.readRam();
      const free = ram.subarray(RAM_BYTES - STACK_BYTES).findIndex((byte) => byte !== 0);
      return free < 0 ? 0 : STACK_BYTES - free;
    }

    it('introduces itself and says that its signal is made up', async () => {
      const identity = await sessionWith(await start(fresh)).connect();
      expect(identity).toMatchObject({
        dialect: 'mote',
        name: 'micro:bit v1 (test signal)',
        firmware: '0.1.0, no accelerometer found',
        rateHz: 100,
        ratesHz: [50, 100, 200],
        modelRamBytes: layout.modelRamBytes,
        // QEMU's factory registers.
        serial: '0000000312345678',
      });
      expect(identity.channels.map(({ name }) => name)).toEqual(['testX', 'testY', 'testZ']);
      expect(identity.slots.map(({ state, capacityBytes }) => [state, capacityBytes])).toEqual([
        ['empty', slotCapacity(layout)],
        ['empty', slotCapacity(layout)],
      ]);
    });

    it('streams', async () => {
      const session = sessionWith(await start(fresh));
      await session.connect();
      for (const rateHz of [100, 200]) {
        const batches: SampleBatch[] = [];
        const off = session.on('samples', (batch) => batches.push(batch));
        await session.startStream({ rateHz });
        await expect
          .poll(() => batches.reduce((sum, batch) => sum + batch.frames, 0), { timeout: 10_000 })
          .toBeGreaterThan(300);
        await session.stopStream();
        off();
        expect(batches.every((batch) => batch.lostBefore === 0)).toBe(true);
        const values = batches.flatMap((batch) => [...batch.samples]);
        for (let n = 0; n < 300; n++) expect(values.slice(3 * n, 3 * n + 3)).toEqual(testSignal(n));
        const times = batches.map((batch) => [batch.boardTimeUs as number, batch.frames] as const);
        const [begin, end] = [times[0], times.at(-1)] as const;
        const frames = times.slice(0, -1).reduce((sum, [, count]) => sum + count, 0);
        // At least the period for each frame: an emulator that had to wait skips ticks, never hurries.
        expect(((end?.[0] ?? 0) - (begin?.[0] ?? 0)) / frames).toBeGreaterThanOrEqual(1e6 / rateHz - 1);
      }
    });

    it('takes models, proves them, switches, goes back; a restart changes nothing', async () => {
      const board = await start(fresh);
      const session = sessionWith(board);
      await session.connect();
      const one = await session.deploy(first.pack);
      expect(one).toMatchObject({ slot: 0, modelId: packId(first.pack) });
      expect(one.selfTest.passed).toBe(one.selfTest.total);
      expect(one.selfTest.total).toBeGreaterThanOrEqual(12);
      const two = await session.deploy(second.pack);
      expect(two).toMatchObject({ slot: 1, modelId: packId(second.pack) });
      expect(two.selfTest.passed).toBe(two.selfTest.total);
      expect(await session.readModel()).toEqual(second.pack);
      await session.activateSlot(0);
      expect(await session.readModel()).toEqual(first.pack);
      await session.disconnect();
      expect(await stackUsed(board)).toBeLessThan(STACK_BYTES - 512);
      const again = sessionWith(await start(await board.cutPower()));
      const { slots } = await again.connect();
      expect(slots.map(({ state, active, model }) => [state, active, model?.id])).toEqual([
        ['valid', true, packId(first.pack)],
        ['valid', false, packId(second.pack)],
      ]);
      expect(await again.selfTest()).toMatchObject({ passed: one.selfTest.total, total: one.selfTest.total });
    });

    it('classifies its own samples like the interpreter, byte for byte', async () => {
      const board = await start(flashOfHex(hexWithModel(firmwareHex(1), layout, first.pack)));
      const session = sessionWith(board);
      await session.connect();
      const frames: number[][] = [];
      const results: BoardResult[] = [];
      let base: number | null = null;
      session.on('samples', (batch) => {
        base ??= batch.sequence;
        for (let f = 0; f < batch.frames; f++) frames.push([...batch.samples.subarray(3 * f, 3 * f + 3)]);
      });
      session.on('result', (result) => results.push(result));
      await session.startStream();
      await session.setClassifying(true);
      await expect.poll(() => results.length, { timeout: 20_000 }).toBeGreaterThanOrEqual(3);
      const runner = createRunner(first.model);
      for (const result of results) {
        const end = result.sequence - (base as unknown as number) + 1;
        const window = Float32Array.from(frames.slice(end - runner.frames, end).flat());
        const expected = runner.classify(window);
        expect({ scores: [...result.scores], crc: result.featureCrc }).toEqual({
          scores: [...expected.scores],
          crc: expected.featureCrc,
        });
      }
      const used = await stackUsed(board);
      console.log(`micro:bit v1: ${used} of ${STACK_BYTES} bytes of stack used`);
      expect(used).toBeGreaterThan(100);
      expect(used).toBeLessThan(STACK_BYTES - 512);
    }, 240_000);

    it('boots the model that came inside the .hex, and takes the next one over serial', async () => {
      const session = sessionWith(await start(flashOfHex(hexWithModel(firmwareHex(1), layout, first.pack))));
      const { slots } = await session.connect();
      expect(slots.map(({ state, active, model }) => [state, active, model?.id])).toEqual([
        ['valid', true, packId(first.pack)],
        ['empty', false, undefined],
      ]);
      expect(await session.readModel()).toEqual(first.pack);
      expect(await session.deploy(second.pack)).toMatchObject({ slot: 1 });
    });

    it('boots one of the two models wherever the power fails', async () => {
      const loaded = flashOfHex(hexWithModel(firmwareHex(1), layout, first.pack));
      const slotB = layout.storageAt + 2 * layout.eraseBytes + (slotCapacity(layout) + 32);
      const { pack } = second;
      // The requests of a deploy, one after the other; power fails a few milliseconds into one of them.
      type Step = (client: MicrobitBoard['client']) => Promise<unknown>;
      const steps: Step[] = [
        (client) => client.request(MESSAGE.putBegin, u8(1), u32(pack.length), u32(crc32(pack))),
        ...Array.from({ length: Math.ceil(pack.length / CHUNK) }, (_, i): Step => {
          const at = i * CHUNK;
          return (client) => client.request(MESSAGE.putChunk, u32(at), pack.subarray(at, at + CHUNK));
        }),
        (client) => client.request(MESSAGE.putEnd),
        (client) => client.activate(1),
      ];
      const counts = { old: 0, fresh: 0, half: 0 };
      for (let last = 0; last < steps.length; last++) {
        for (const delayMs of [0, 1, 4]) {
          const board = await start(loaded);
          await board.client.hello();
          for (const step of steps.slice(0, last)) await step(board.client);
          steps[last]?.(board.client).catch(() => undefined);
          await new Promise((resolve) => setTimeout(resolve, delayMs));
          const left = await board.cutPower();
          if (left.subarray(slotB, slotB + pack.length).some((byte) => byte !== 0xff)) counts.half++;
          const again = await start(left);
          const active = (await again.client.hello()).bytes[6] as number;
          expect([0, 1]).toContain(active);
          expect(await again.client.read(active, (active === 0 ? first : second).pack.length, 1)).toEqual(
            (active === 0 ? first : second).pack,
          );
          counts[active === 0 ? 'old' : 'fresh']++;
          await again.kill();
        }
      }
      const cuts = counts.old + counts.fresh;
      console.log(
        `micro:bit v1: ${cuts} power cuts, ${counts.half} of them with bytes in the other slot: ` +
          `old model ${counts.old}, new model ${counts.fresh}, neither 0`,
      );
      expect(counts.half).toBeGreaterThan(10);
      expect(counts.old).toBeGreaterThan(10);
      expect(counts.fresh).toBeGreaterThan(0);
    }, 120_000);
  },
);
