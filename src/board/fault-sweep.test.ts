/**
 * Everything that can go wrong with a deploy at one single place, at every place: the cable cut after every byte in
 * either direction, the power cut before every flash operation, every bit of every frame flipped. Afterwards the board
 * boots a valid model, old or new, and the session says which.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { writePack } from '../emit/pack';
import type { BoardError, BoardSession } from './board';
import { packId } from './deploy';
import { createFakeTime } from '../../tests/fixtures/fake-time';
import { createFaultyLink } from '../../tests/fixtures/faulty-link';
import { STORAGE_TIMEOUT_MS } from './mote-dialect';
import { createFrameReader, encodeFrame } from './mote-frames';
import { probeModel } from './probe-model';
import { createSession } from './session';
import { hostInThread } from './virtual-board-host';
import { createVirtualLink } from './virtual-link';
import { MESSAGE } from './wire';

const wasm = new WebAssembly.Module(readFileSync(new URL('../../public/virtual-board.wasm', import.meta.url)));
const board = { channels: Array.from({ length: 6 }, (_, i) => ({ name: `c${i}`, unit: '' })), rateHz: 100 };
/** A deploy with a flipped bit takes a while to compute: not every byte has its turn here. */
const FLIP_EVERY_BYTES = 5;
// Short windows and few known answers: a small pack, so that every byte can have its turn.
const OLD = writePack(probeModel(board, 1, 4, 2));
const NEW = writePack(probeModel(board, 2, 4, 2));
const [OLD_ID, NEW_ID] = [packId(OLD), packId(NEW)];

function bench() {
  const time = createFakeTime();
  const link = createVirtualLink({ wasm, startHost: hostInThread(time), timing: time });
  const faulty = createFaultyLink(link, { random: () => 0.5, timers: time.timers, onCut: () => link.unplug() });
  return { time, link, faulty, session: createSession(faulty, time) };
}

const activeId = (session: BoardSession): number | undefined =>
  session.identity?.slots.find((slot) => slot.active && slot.state === 'valid')?.model?.id;

const outcomeOf = (work: Promise<unknown>): Promise<BoardError | null> =>
  work.then(
    () => null,
    (error: unknown) => error as BoardError,
  );

/** A board that runs OLD, connected; and how to make it so again. */
async function prepared() {
  const b = bench();
  await b.time.until(b.session.connect());
  await b.time.until(b.session.deploy(OLD));
  return b;
}

/** Bytes of a whole deploy of each pack in each direction: zeros in it make a frame a byte longer or shorter. */
async function rehearsal() {
  const b = await prepared();
  const counts = async (pack: Uint8Array) => {
    b.faulty.setFaults({});
    await b.time.until(b.session.deploy(pack));
    return { toBoard: b.faulty.sentBytes, toHost: b.faulty.receivedBytes };
  };
  const [toNew, toOld] = [await counts(NEW), await counts(OLD)];
  return {
    toBoard: Math.min(toNew.toBoard, toOld.toBoard),
    toHost: Math.min(toNew.toHost, toOld.toHost),
  };
}

describe('fault sweep', () => {
  it('the cable is cut after every byte of a deploy, in either direction', async () => {
    const totals = await rehearsal();
    const b = await prepared();
    const { time, link, faulty, session } = b;
    for (const direction of ['toBoard', 'toHost'] as const) {
      let old = 0;
      let fresh = 0;
      let current = OLD_ID;
      for (let cut = 0; cut < totals[direction]; cut++) {
        const [next, nextId] = current === OLD_ID ? [NEW, NEW_ID] : [OLD, OLD_ID];
        faulty.setFaults({ [direction]: { cutAfterBytes: cut } });
        const outcome = await time.until(outcomeOf(session.deploy(next)));
        if (outcome?.code !== 'disconnected')
          throw new Error(`cut ${cut} ${direction}: ${outcome?.code ?? 'no error'}`);
        faulty.setFaults({});
        link.replug();
        await time.advance(1000);
        expect(session.state.name).toBe('ready');
        const now = activeId(session);
        // Old or new and nothing else, and what the session says is what the board gives back and proves.
        if (now !== current && now !== nextId) throw new Error(`cut ${cut} ${direction}: runs ${String(now)}`);
        expect(packId(await time.until(session.readModel()))).toBe(now);
        if (now === nextId) {
          fresh++;
          current = nextId;
        } else old++;
        if (cut % 200 === 0) expect((await time.until(session.selfTest())).passed).toBeGreaterThan(0);
      }
      console.log(
        `cable cut ${direction}: ${totals[direction]} cuts, old model ${old}, new model ${fresh}, neither ${totals[direction] - old - fresh}`,
      );
      expect(old + fresh).toBe(totals[direction]);
      expect(old).toBeGreaterThan(0);
    }
  }, 600_000);

  it('a bit is flipped all along a deploy: it gets through, or says why', async () => {
    const b = await prepared();
    const { time, faulty, session } = b;
    // Every bit of single frames is the next test's business; here a flip is carried through to its end.
    const totals = await rehearsal();
    for (const direction of ['toBoard', 'toHost'] as const) {
      let done = 0;
      let refused = 0;
      let current = OLD_ID;
      for (let byte = 0; byte < totals[direction]; byte += FLIP_EVERY_BYTES) {
        const bit = (byte / FLIP_EVERY_BYTES) % 8;
        const [next, nextId] = current === OLD_ID ? [NEW, NEW_ID] : [OLD, OLD_ID];
        faulty.setFaults({ [direction]: { flipBit: byte * 8 + bit } });
        const outcome = await time.until(outcomeOf(session.deploy(next)), 600_000);
        faulty.setFaults({});
        // The request that got lost is given up at its timeout, not when the deploy went on without it.
        await time.advance(STORAGE_TIMEOUT_MS);
        const now = activeId(session);
        expect(packId(await time.until(session.readModel()))).toBe(now);
        if (outcome === null) {
          expect(now).toBe(nextId);
          done++;
        } else {
          expect([current, nextId]).toContain(now);
          refused++;
        }
        current = now ?? null;
      }
      console.log(
        `bit flips ${direction}: ${done + refused} deploys, ${done} got through, ${refused} ended with a reason`,
      );
      // A lost frame costs a repetition, not the deploy.
      expect(done).toBeGreaterThan(0.95 * (done + refused));
    }
  }, 600_000);

  it('no frame with one flipped bit is taken for a frame', () => {
    const bodies = [new Uint8Array(), Uint8Array.of(0), NEW.subarray(0, 60), NEW.subarray(0, 512), new Uint8Array(300)];
    let flips = 0;
    let taken = 0;
    for (const body of bodies) {
      const wire = encodeFrame(MESSAGE.putChunk, 7, body);
      for (let bit = 0; bit < 8 * wire.length; bit++) {
        const damaged = wire.slice();
        damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        const reader = createFrameReader();
        const frames = reader.push(damaged);
        flips++;
        // A flip in a delimiter spoils nothing of the frame: it is read, whole, once the next frame begins.
        const changed = frames.filter(
          (frame) => frame.type !== MESSAGE.putChunk || frame.id !== 7 || !equal(frame.body, body),
        );
        taken += changed.length;
        // Whatever it was, the next frame is read.
        expect(reader.push(Uint8Array.of(0, ...wire)).some((frame) => equal(frame.body, body))).toBe(true);
      }
    }
    console.log(`frame reader: ${flips} single-bit flips, ${taken} changed frames taken`);
    expect(taken).toBe(0);
  });
});

const equal = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && a.every((byte, i) => byte === b[i]);
