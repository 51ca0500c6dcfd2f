/**
 * The whole way onto an Arduino Uno, with the real boot loaders on an emulated ATmega328P: flash our firmware with a
 * model in it, compare the flash, start it, and talk to it as the studio does.
 */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import type { BoardResult, SampleBatch } from '../../src/board/board';
import { packId } from '../../src/board/deploy';
import { createSession } from '../../src/board/session';
import { flashUno, OLD_NANO_BAUD, OPTIBOOT_BAUD, readUnoFlash, type FlashReport } from '../../src/board/stk500v1';
import { readPack, writePack } from '../../src/emit/pack';
import { readUnoImage, unoImageBytes } from '../../src/emit/read-uno-image';
import { createRunner, createSmoother } from '../../src/emit/run-model';
import { unoImage, type UnoMemory } from '../../src/emit/uno-image';
import { patchImage, readHexImage } from '../../src/formats/intel-hex';
import { AvrBoard } from './avr-board.mjs';
import { createAvrBoardLink, type AvrBoardLink } from './avr-board-link';
import { FLATTEN, motionVolts, RATE_HZ, RAW, SPECTRAL, unoModel } from '../fixtures/uno-model';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const LOADERS = '/usr/share/arduino/hardware/arduino/avr/bootloaders';
const OPTIBOOT = `${LOADERS}/optiboot/optiboot_atmega328.hex`;
const OLD_NANO = `${LOADERS}/atmega/ATmegaBOOT_168_atmega328.hex`;
const FIRMWARE = readFileSync(`${ROOT}/public/firmware/uno.hex`, 'utf8');
const MEMORY = JSON.parse(readFileSync(`${ROOT}/public/firmware/uno.json`, 'utf8')) as UnoMemory;
const SIZES = JSON.parse(readFileSync(`${ROOT}/public/firmware/sizes.json`, 'utf8')) as {
  readonly uno: { readonly ramBytes: number };
};
const RAM_START = 0x100;
const EMULATION_MS = 120_000;

const MODELS = {
  'statistics, 1 s': unoModel({ seed: 1, windowMs: 1000, blocks: [FLATTEN], hidden: 16 }),
  'spectrum, 1 s': unoModel({ seed: 2, windowMs: 1000, blocks: [SPECTRAL], hidden: 16 }),
  'shape and statistics, 0.8 s': unoModel({ seed: 3, windowMs: 800, blocks: [RAW, FLATTEN], hidden: 20 }),
} as const;

function imageFor(model: (typeof MODELS)[keyof typeof MODELS], end: number): Uint8Array {
  const id = packId(writePack(model)) ?? 0;
  return patchImage(readHexImage(FIRMWARE, end), unoImage(model, id, MEMORY, end), MEMORY.modelStart, end);
}

const flash = (link: AvrBoardLink, image: Uint8Array): Promise<FlashReport> =>
  link.until(flashUno(link, { ...link.timing, image: () => image, alwaysWrite: [MEMORY.modelStart] }), 120);

describe.skipIf(!existsSync(OPTIBOOT))('Arduino Uno with the real Optiboot (arduino-core-avr)', () => {
  test.each(Object.entries(MODELS))(
    '%s: flash, compare, reboot, stream, classify, self-test',
    async (_, model) => {
      const pack = writePack(model);
      const board = new AvrBoard(readFileSync(OPTIBOOT, 'utf8'));
      const link = createAvrBoardLink(board);
      const image = imageFor(model, MEMORY.modelEnd);
      const loader = board.flash.slice(MEMORY.modelEnd);

      const report = await flash(link, image);
      expect(report.baudRate).toBe(OPTIBOOT_BAUD);
      expect(Buffer.compare(board.flash.subarray(0, MEMORY.modelEnd), image)).toBe(0);
      expect(Buffer.compare(board.flash.subarray(MEMORY.modelEnd), loader)).toBe(0);

      // Moved as in a recording of a gesture.
      const motion = motionVolts(model.labels[1] ?? '', 8, 7);
      board.volts = (seconds) => {
        const frame = Math.floor(seconds * RATE_HZ) % (motion.length / 3);
        return [0, 1, 2].map((axis) => (motion[3 * frame + axis] ?? 0) + 0.001);
      };
      const session = createSession(link, link.timing);
      const identity = await link.until(session.connect());
      expect(identity).toMatchObject({
        dialect: 'mote',
        name: 'Arduino Uno',
        channels: [
          { name: 'A0', unit: 'V' },
          { name: 'A1', unit: 'V' },
          { name: 'A2', unit: 'V' },
        ],
        rateHz: RATE_HZ,
        modelRamBytes: MEMORY.workBytes,
      });
      expect(identity.slots).toMatchObject([
        { index: 0, state: 'valid', active: true, model: { id: packId(pack), name: 'gestures', labels: model.labels } },
      ]);
      board.paintStack(RAM_START + SIZES.uno.ramBytes);

      const proof = await link.until(session.selfTest(), 60);
      expect(proof.total).toBeGreaterThanOrEqual(model.selfTest.generatedCount);
      expect(proof).toMatchObject({ passed: proof.total, firstFailure: null });

      // A window from the host.
      const runner = createRunner(model);
      const window = motion.slice(0, runner.frames * 3);
      const expected = runner.classify(window);
      const answer = await link.until(session.classify(window));
      expect(Array.from(answer.scores)).toEqual(Array.from(expected.scores));
      expect(answer.featureCrc).toBe(expected.featureCrc);

      // Its own samples: every result is what the samples that it streams give.
      const batches: SampleBatch[] = [];
      const results: BoardResult[] = [];
      session.on('samples', (batch) => batches.push(batch));
      session.on('result', (result) => results.push(result));
      await link.until(session.startStream());
      await link.until(session.setClassifying(true));
      await link.pass(5);
      await link.until(session.stopStream());
      const first = batches[0]?.sequence ?? 0;
      const samples = Float32Array.from(batches.flatMap((batch) => Array.from(batch.samples)));
      expect(batches.reduce((sum, batch) => sum + batch.lostBefore, 0)).toBe(0);
      expect(samples.length / 3).toBeGreaterThan(4.5 * RATE_HZ);
      const smoother = createSmoother(model);
      expect(results.length).toBeGreaterThanOrEqual(6);
      for (const result of results) {
        const end = result.sequence - first + 1;
        const seen = runner.classify(samples.slice(3 * (end - runner.frames), 3 * end));
        expect(Array.from(result.scores)).toEqual(Array.from(seen.scores));
        const decided = smoother.decide(seen.scores);
        expect(result.decision).toBe(decided < 0 ? null : decided);
      }

      // What only flashing can do is refused in words.
      await expect(link.until(session.deploy(pack))).rejects.toMatchObject({ code: 'not-supported' });
      await expect(link.until(session.readModel())).rejects.toThrow(/cannot be read back/);
      await link.until(session.disconnect());
      // Before the boot loader has the RAM again.
      const { stackBytes } = board;

      // Read back through the boot loader: the image that was written, and a model that gives it again.
      const read = await link.until(
        readUnoFlash(link, {
          ...link.timing,
          start: MEMORY.modelStart,
          bytes: (first) => unoImageBytes(first) ?? 0,
        }),
        60,
      );
      expect(Buffer.compare(read, image.subarray(MEMORY.modelStart, MEMORY.modelStart + read.length))).toBe(0);
      expect(read).toEqual(unoImage(model, packId(pack) ?? 0, MEMORY));
      const back = readUnoImage(read, identity.channels);
      expect(back.id).toBe(packId(pack));
      expect(unoImage(back.model, back.id, MEMORY)).toEqual(read);
      // Kept as a pack, it gives the bytes that the board gave for its own samples, and its decisions.
      const kept = readPack(writePack(back.model));
      const keptRunner = createRunner(kept);
      const keptSmoother = createSmoother(kept);
      for (const result of results) {
        const end = result.sequence - first + 1;
        const seen = keptRunner.classify(samples.slice(3 * (end - runner.frames), 3 * end));
        expect(Array.from(result.scores)).toEqual(Array.from(seen.scores));
        expect(result.featureCrc).toBe(seen.featureCrc);
        const decided = keptSmoother.decide(seen.scores);
        expect(result.decision).toBe(decided < 0 ? null : decided);
      }
      expect(Buffer.compare(board.flash.subarray(0, MEMORY.modelEnd), image)).toBe(0);
      // And its program runs again.
      expect((await link.until(session.connect())).slots[0]?.model?.id).toBe(packId(pack));
      await link.until(session.disconnect());
      const worst = Math.max(...results.map(({ dspUs, networkUs }) => dspUs + networkUs));
      console.info(
        `${report.pages} pages: written in ${(report.writeMs / 1000).toFixed(1)} s, verified in ${(report.verifyMs / 1000).toFixed(1)} s; ` +
          `${proof.passed} of ${proof.total} known answers; ${(worst / 1000).toFixed(0)} ms per window; stack ${stackBytes} B`,
      );
      expect(stackBytes).toBeLessThan(0x800 - SIZES.uno.ramBytes);
    },
    EMULATION_MS,
  );

  test(
    'an old Nano (ATmegaBOOT, 57600 baud) is found and written too',
    async () => {
      const model = MODELS['statistics, 1 s'];
      const board = new AvrBoard(readFileSync(OLD_NANO, 'utf8'));
      const link = createAvrBoardLink(board);
      const image = imageFor(model, MEMORY.modelEndOldNano);
      const report = await flash(link, image);
      expect(report.baudRate).toBe(OLD_NANO_BAUD);
      expect(Buffer.compare(board.flash.subarray(0, MEMORY.modelEndOldNano), image)).toBe(0);
      const session = createSession(link, link.timing);
      const identity = await link.until(session.connect());
      expect(identity.slots[0]?.model?.id).toBe(packId(writePack(model)));
      await link.until(session.disconnect());
      const start = MEMORY.modelStart;
      const bytes = (first: Uint8Array): number => unoImageBytes(first) ?? 0;
      const read = await link.until(readUnoFlash(link, { ...link.timing, start, bytes }), 60);
      expect(readUnoImage(read, identity.channels).model.labels).toEqual(model.labels);
    },
    EMULATION_MS,
  );

  test(
    'without a model the firmware streams, and says that it has none',
    async () => {
      const board = new AvrBoard(readFileSync(OPTIBOOT, 'utf8'));
      const link = createAvrBoardLink(board);
      await flash(link, readHexImage(FIRMWARE, MEMORY.modelEnd));
      const session = createSession(link, link.timing);
      const identity = await link.until(session.connect());
      expect(identity.slots).toMatchObject([{ state: 'empty', active: false, model: null }]);
      await expect(link.until(session.selfTest())).rejects.toMatchObject({ code: 'no-model' });
      let frames = 0;
      session.on('samples', (batch) => (frames += batch.frames));
      await link.until(session.startStream({ rateHz: 200 }));
      await link.pass(2);
      await link.until(session.stopStream());
      expect(frames).toBeGreaterThan(380);
      await link.until(session.disconnect());
    },
    EMULATION_MS,
  );
});
