/** The whole way on the real firmware (as wasm): connect, stream, deploy, read back, classify; and what can go wrong. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { crc32 } from '../emit/crc32';
import { writePack } from '../emit/pack';
import { createRunner } from '../emit/run-model';
import { Random } from '../signal/random';
import { BoardError } from './board';
import type { BoardResult, BoardSession, DeployProgress, SampleBatch, SessionState } from './board';
import { packId } from './deploy';
import { createFakeTime } from '../../tests/fixtures/fake-time';
import type { FakeTime } from '../../tests/fixtures/fake-time';
import { createFaultyLink } from '../../tests/fixtures/faulty-link';
import type { FaultyLink } from '../../tests/fixtures/faulty-link';
import { createMoteDialect } from './mote-dialect';
import { createFrameReader, encodeFrame } from './mote-frames';
import { createSession } from './session';
import { smallModel } from '../../tests/fixtures/small-model';
import { hostInThread } from './virtual-board-host';
import { createVirtualLink } from './virtual-link';
import type { VirtualLink, VirtualLinkOptions } from './virtual-link';
import { MESSAGE, PROTOCOL } from './wire';

const wasm = new WebAssembly.Module(readFileSync(new URL('../../public/virtual-board.wasm', import.meta.url)));
const modelA = smallModel(1);
const modelB = smallModel(2);
const packA = writePack(modelA);
const packB = writePack(modelB);
const idA = packId(packA);
const idB = packId(packB);

interface Bench {
  readonly time: FakeTime;
  readonly link: VirtualLink;
  readonly faulty: FaultyLink;
  readonly session: BoardSession;
  readonly states: SessionState['name'][];
  readonly batches: SampleBatch[];
  readonly results: BoardResult[];
}

function bench(options: Partial<VirtualLinkOptions> = {}): Bench {
  const time = createFakeTime();
  const random = new Random(9);
  const link = createVirtualLink({ wasm, startHost: hostInThread(time), timing: time, ...options });
  const faulty = createFaultyLink(link, {
    random: () => random.next(),
    timers: time.timers,
    onCut: () => link.unplug(),
  });
  const session = createSession(faulty, time);
  const states: SessionState['name'][] = [];
  const batches: SampleBatch[] = [];
  const results: BoardResult[] = [];
  session.on('state', (state) => states.push(state.name));
  session.on('samples', (batch) => batches.push(batch));
  session.on('result', (result) => results.push(result));
  return { time, link, faulty, session, states, batches, results };
}

async function caught(promise: Promise<unknown>): Promise<BoardError> {
  const error: unknown = await promise.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(BoardError);
  return error as BoardError;
}

/** The frames of all batches in a row. */
function joined(batches: readonly SampleBatch[]): Float32Array {
  const all = new Float32Array(batches.reduce((sum, batch) => sum + batch.samples.length, 0));
  let at = 0;
  for (const { samples } of batches) {
    all.set(samples, at);
    at += samples.length;
  }
  return all;
}

describe('virtual board', () => {
  it('tells who it is', async () => {
    const { time, session, states } = bench();
    const identity = await time.until(session.connect());
    expect(identity).toMatchObject({
      dialect: 'mote',
      name: 'Virtual board',
      rateHz: 100,
      ratesHz: [50, 100, 200],
      rateEstimated: false,
    });
    expect(identity.channels.map((channel) => channel.name)).toEqual(['accX', 'accY', 'accZ', 'gyrX', 'gyrY', 'gyrZ']);
    expect(identity.slots.map((slot) => slot.state)).toEqual(['empty', 'empty']);
    expect(states).toEqual(['opening', 'identifying', 'ready']);
  });

  it('streams without a gap at the rate it says', async () => {
    const { time, session, batches } = bench();
    await time.until(session.connect());
    await time.until(session.startStream({ rateHz: 200 }));
    expect(session.identity?.rateHz).toBe(200);
    await time.advance(5000);
    await time.until(session.stopStream());
    expect(session.state.name).toBe('ready');
    const frames = batches.reduce((sum, batch) => sum + batch.frames, 0);
    expect(frames).toBeGreaterThan(990);
    expect(frames).toBeLessThan(1010);
    let next = batches[0]?.sequence ?? 0;
    for (const batch of batches) {
      expect(batch.sequence).toBe(next);
      expect(batch.lostBefore).toBe(0);
      next += batch.frames;
    }
    const times = batches.map((batch) => batch.boardTimeUs ?? 0);
    const first = batches[0];
    const last = batches.at(-1);
    const span = (times.at(-1) ?? 0) - (times[0] ?? 0);
    expect(span / ((last?.sequence ?? 0) - (first?.sequence ?? 0))).toBeCloseTo(5000, 0);
    // Lying still: the accelerometer feels one g.
    const rms = Math.hypot(...[0, 1, 2].map((axis) => batches[50]?.samples[axis] ?? 0));
    expect(rms).toBeGreaterThan(9);
    expect(rms).toBeLessThan(11);
  });

  it('moves as the generator is told', async () => {
    const { time, session, batches } = bench();
    await time.until(session.connect());
    await time.until(session.startStream());
    const energy = async (): Promise<number> => {
      batches.length = 0;
      await time.advance(2000);
      const samples = joined(batches);
      let sum = 0;
      for (let i = 7; i < samples.length; i += 6) sum += Math.abs((samples[i] ?? 0) - (samples[i - 6] ?? 0));
      return sum / (samples.length / 6);
    };
    const idle = await energy();
    expect(session.generator?.gestures).toContain('shake');
    session.generator?.set({ gesture: 'shake' });
    await time.advance(1000);
    expect(await energy()).toBeGreaterThan(5 * idle);
    expect(() => session.generator?.set({ gesture: 'somersault' })).toThrow(RangeError);
  });

  it('compares a slot by checksums of its flash, and byte by byte where the firmware is older', async () => {
    const { time, link, session } = bench();
    await time.until(session.connect());
    await time.until(session.deploy(packA));
    await time.until(session.disconnect());
    const other = packA.slice();
    for (const at of [1500, 3000]) other[at] = (other[at] ?? 0) ^ 1;
    for (const older of [false, true]) {
      let asked: number[] = [];
      const sent = createFrameReader();
      const heard = createFrameReader();
      const dialect = createMoteDialect(time, {
        send: (bytes) => {
          asked.push(...sent.push(bytes).map(({ type }) => type));
          return link.write(bytes);
        },
        onSamples: () => undefined,
        onResult: () => undefined,
      });
      await link.open(
        { baudRate: 115_200 },
        {
          onBytes: (bytes, at) => {
            for (const { type, id, body } of heard.push(bytes)) {
              const cut = older && type === (MESSAGE.hello | PROTOCOL.replyBit) ? body.subarray(0, -1) : body;
              dialect.push(encodeFrame(type, id, cut), at);
            }
          },
          onLost: () => undefined,
        },
      );
      await time.until(dialect.hello());
      asked = [];
      expect(await time.until(dialect.compare(0, packA, () => undefined))).toBeNull();
      expect(new Set(asked)).toEqual(new Set([older ? MESSAGE.read : MESSAGE.digest]));
      const differs = await time.until(dialect.compare(0, other, () => undefined));
      expect(differs).toEqual(older ? { from: 1500, to: 1501 } : { from: 1024, to: 2048 });
      // Longer than what lies there: the board has no bytes to answer with.
      const longer = new Uint8Array(packA.length + 5000);
      await expect(time.until(dialect.compare(0, longer, () => undefined))).rejects.toThrow(BoardError);
      // And a model is written either way, without chunks ahead of the board's word in the older one.
      asked = [];
      const written = await time.until(dialect.put(1, packB, crc32(packB), () => undefined));
      expect(written.modelId).toBe(idB);
      expect(asked.filter((type) => type !== MESSAGE.putChunk)).toEqual([MESSAGE.putBegin, MESSAGE.putEnd]);
      await link.close();
    }
  });

  it('begins a put anew when its begin or the end got lost while the chunks were under way', async () => {
    for (const lost of [MESSAGE.putBegin, MESSAGE.putEnd]) {
      const { time, link } = bench();
      let dropped = 0;
      const dialect = createMoteDialect(time, {
        send: (bytes) => {
          const [frame] = createFrameReader().push(bytes);
          return frame?.type === lost && dropped++ === 0 ? Promise.resolve() : link.write(bytes);
        },
        onSamples: () => undefined,
        onResult: () => undefined,
      });
      const events = { onBytes: (bytes: Uint8Array, at: number) => dialect.push(bytes, at), onLost: () => undefined };
      await link.open({ baudRate: 115_200 }, events);
      await time.until(dialect.hello());
      const written = await time.until(
        dialect.put(0, packA, crc32(packA), () => undefined),
        60_000,
      );
      expect(written.modelId).toBe(idA);
      expect(dropped).toBe(2);
      expect(await time.until(dialect.compare(0, packA, () => undefined))).toBeNull();
    }
  });

  it('takes a model, proves it, runs it, gives it back, and classifies as the browser does', async () => {
    const { time, session, states, batches, results } = bench();
    await time.until(session.connect());
    await time.until(session.startStream());
    const progress: DeployProgress[] = [];
    const report = await time.until(session.deploy(packA, { onProgress: (p) => progress.push(p) }));
    expect(report).toMatchObject({ bytes: packA.length, modelId: idA, selfTest: { firstFailure: null } });
    expect(report.selfTest.total).toBe(64);
    expect(report.selfTest.passed).toBe(64);
    const steps = [...new Set(progress.map((p) => p.step))];
    expect(steps).toEqual(['checking', 'writing', 'verifying', 'self-test', 'switching', 'done']);
    for (const p of progress) expect(p.done).toBeLessThanOrEqual(p.total);
    await time.advance(50);
    expect(session.state.name).toBe('streaming');
    expect(states).toContain('deploying');
    const active = session.identity?.slots.find((slot) => slot.active);
    expect(active?.model).toEqual({ id: idA, name: 'small_1', labels: modelA.labels, packBytes: packA.length });

    expect(await time.until(session.readModel())).toEqual(packA);
    expect(await time.until(session.selfTest())).toMatchObject({ passed: 64, total: 64, firstFailure: null });

    const runner = createRunner(modelA);
    const random = new Random(3);
    for (let i = 0; i < 5; i++) {
      const window = Float32Array.from({ length: runner.frames * runner.channels }, () => random.between(-20, 20));
      const here = runner.classify(window);
      const there = await time.until(session.classify(window));
      expect(there.scores).toEqual(here.scores);
      expect(there.featureCrc).toBe(here.featureCrc);
    }

    batches.length = 0;
    await time.until(session.setClassifying(true));
    session.generator?.set({ gesture: 'wave' });
    await time.advance(4000);
    await time.until(session.setClassifying(false));
    const first = batches[0]?.sequence ?? 0;
    const samples = joined(batches);
    let compared = 0;
    for (const result of results) {
      const end = (result.sequence - first + 1) * runner.channels;
      const start = end - runner.frames * runner.channels;
      if (start < 0 || end > samples.length) continue;
      const here = runner.classify(samples.slice(start, end));
      expect(result.modelId).toBe(idA);
      expect(result.scores).toEqual(here.scores);
      expect(result.featureCrc).toBe(here.featureCrc);
      compared++;
    }
    expect(compared).toBeGreaterThan(10);
  });

  it('keeps the previous model to go back to', async () => {
    const { time, session } = bench();
    await time.until(session.connect());
    const a = await time.until(session.deploy(packA));
    const b = await time.until(session.deploy(packB));
    expect(b.slot).not.toBe(a.slot);
    expect(await time.until(session.readModel({ slot: a.slot }))).toEqual(packA);
    await time.until(session.activateSlot(a.slot));
    expect(session.identity?.slots[a.slot]).toMatchObject({ active: true, model: { id: idA } });
    expect(await time.until(session.readModel())).toEqual(packA);
  });

  it('keeps its models over a reload, and brings one from the factory', async () => {
    let kept: Uint8Array | null = null;
    const storage = {
      load: () => Promise.resolve(kept),
      save: (image: Uint8Array) => {
        kept = image;
        return Promise.resolve();
      },
    };
    const first = bench({ storage, factoryPack: packA });
    const identity = await first.time.until(first.session.connect());
    expect(identity.slots.find((slot) => slot.active)?.model?.id).toBe(idA);
    await first.time.until(first.session.deploy(packB));
    await first.session.disconnect();
    first.link.dispose();

    const second = bench({ storage, factoryPack: packA });
    const again = await second.time.until(second.session.connect());
    expect(again.slots.find((slot) => slot.active)?.model?.id).toBe(idB);
    expect(await second.time.until(second.session.readModel())).toEqual(packB);
  });

  it('refuses what is no model, is damaged, or does not fit, and keeps the old one', async () => {
    const { time, session } = bench();
    await time.until(session.connect());
    await time.until(session.deploy(packA));
    expect((await caught(time.until(session.deploy(Uint8Array.of(1, 2, 3))))).code).toBe('model-rejected');
    const damaged = packB.slice();
    damaged[500] = (damaged[500] ?? 0) ^ 1;
    expect((await caught(time.until(session.deploy(damaged)))).code).toBe('model-rejected');
    // 30 s of 6 channels at 100 Hz are 72 KB of float32; the board has 64 KB.
    const long = writePack(smallModel(3, 30_000));
    expect((await caught(time.until(session.deploy(long)))).code).toBe('model-too-big');
    expect(session.state.name).toBe('ready');
    expect(await time.until(session.readModel())).toEqual(packA);
  });

  it('does one thing at a time', async () => {
    const { time, session } = bench();
    await time.until(session.connect());
    const deploying = session.deploy(packA);
    expect((await caught(session.readModel())).code).toBe('busy');
    expect((await caught(session.deploy(packB))).code).toBe('busy');
    await time.until(deploying);
    expect((await caught(time.until(session.readModel({ slot: 1 })))).code).toBe('no-model');
  });

  it('stops a deploy when asked, at any step before the switch, and the old model stays', async () => {
    for (const at of ['checking', 'writing', 'verifying', 'self-test'] as const) {
      const { time, session } = bench();
      await time.until(session.connect());
      await time.until(session.deploy(packA));
      const abort = new AbortController();
      const error = await caught(
        time.until(
          session.deploy(packB, {
            signal: abort.signal,
            onProgress: (progress) => {
              if (progress.step === at) abort.abort();
            },
          }),
        ),
      );
      expect(error.code).toBe('cancelled');
      expect(session.state.name).toBe('ready');
      expect(await time.until(session.readModel())).toEqual(packA);
      expect((await time.until(session.deploy(packB))).modelId).toBe(idB);
    }
  });

  it('deploys over a link that loses, corrupts and delays bytes', async () => {
    const { time, session, faulty } = bench();
    await time.until(session.connect());
    const faults = { flip: 0.0001, drop: 0.0001, insert: 0.0001, maxChunk: 90, delayMs: 3 };
    faulty.setFaults({ toBoard: faults, toHost: faults });
    const report = await time.until(session.deploy(packA), 600_000);
    expect(report.selfTest).toMatchObject({ passed: 64, total: 64 });
    faulty.setFaults({});
    expect(await time.until(session.readModel())).toEqual(packA);
  });

  it('sees a button reset as a stall and streams on by itself', async () => {
    const { time, session, link, states, batches } = bench();
    await time.until(session.connect());
    await time.until(session.startStream());
    await time.advance(1000);
    link.pressReset();
    await time.advance(8000);
    expect(states.slice(-3)).toEqual(['streaming', 'failed', 'streaming']);
    const gaps = batches.filter((batch) => batch.lostBefore > 0);
    expect(gaps.length).toBe(1);
    expect(gaps[0]?.lostBefore).toBeGreaterThan(250);
    expect((batches.at(-1)?.arrivedAt ?? 0) > time.clock() - 100).toBe(true);
  });
});

describe('a cable that is pulled', () => {
  it('in the middle of streaming: comes back by itself, streams on, and the gap is told', async () => {
    const { time, session, link, states, batches } = bench();
    await time.until(session.connect());
    await time.until(session.startStream());
    await time.advance(1000);
    link.unplug();
    expect(session.state).toMatchObject({ name: 'lost', error: { code: 'disconnected' } });
    const before = batches.length;
    await time.advance(3000);
    expect(batches.length).toBe(before);
    link.replug();
    await time.advance(3000);
    expect(session.state.name).toBe('streaming');
    expect(states).toEqual([
      'opening',
      'identifying',
      'ready',
      'streaming',
      'lost',
      'opening',
      'identifying',
      'ready',
      'streaming',
    ]);
    const gap = batches[before];
    // 3 s without a cable, and the time it took to find out who is there.
    expect(gap?.lostBefore).toBeGreaterThan(300);
    expect(gap?.lostBefore).toBeLessThan(450);
    expect(batches.filter((batch) => batch.lostBefore > 0).length).toBe(1);
  });

  it('rejects what waited for an answer, by name', async () => {
    const { time, session, link } = bench();
    await time.until(session.connect());
    await time.until(session.deploy(packA));
    const reading = session.readModel();
    const failed = caught(time.until(reading));
    link.unplug();
    expect((await failed).code).toBe('disconnected');
    expect((await caught(session.startStream())).code).toBe('disconnected');
  });

  it('can be given up', async () => {
    const { time, session, link } = bench();
    await time.until(session.connect());
    link.unplug();
    await session.disconnect();
    link.replug();
    await time.advance(10_000);
    expect(session.state.name).toBe('closed');
    expect(time.waiting).toBeLessThanOrEqual(1);
  });

  it('at any byte of a deploy, in either direction: the board has a valid model and takes the new one', async () => {
    const rehearsal = bench();
    await rehearsal.time.until(rehearsal.session.connect());
    await rehearsal.time.until(rehearsal.session.deploy(packA));
    rehearsal.faulty.setFaults({});
    await rehearsal.time.until(rehearsal.session.deploy(packB));
    const totals = { toBoard: rehearsal.faulty.sentBytes, toHost: rehearsal.faulty.receivedBytes };
    expect(totals.toBoard).toBeGreaterThan(packB.length);

    const { time, session, faulty, link } = bench();
    await time.until(session.connect());
    await time.until(session.deploy(packA));
    let current = idA;
    let cuts = 0;
    for (const direction of ['toBoard', 'toHost'] as const) {
      const total = totals[direction];
      // A sample of positions, among them the very ends, where the switch happens.
      const positions = [0, 1, total - 60, total - 30, total - 10, total - 1];
      for (let i = 1; i < 22; i++) positions.push(Math.floor((total * i) / 22));
      for (const position of positions) {
        const [next, pack, nextId] = current === idA ? [packB, packA, idB] : [packA, packB, idA];
        faulty.setFaults({ [direction]: { cutAfterBytes: position } });
        const outcome = await time.until(
          session.deploy(next).then(
            () => null,
            (error: unknown) => error as BoardError,
          ),
        );
        if (outcome) {
          expect(outcome.code).toBe('disconnected');
          expect(session.state.name).toBe('lost');
          cuts++;
        }
        faulty.setFaults({});
        link.replug();
        await time.advance(2000);
        expect(session.state.name).toBe('ready');
        const active = session.identity?.slots.find((slot) => slot.active);
        // One of the two, whole; the new one only if the switch itself had got through.
        expect([current, nextId]).toContain(active?.model?.id);
        const isNew = active?.model?.id === nextId;
        expect(await time.until(session.readModel())).toEqual(isNew ? next : pack);
        if (isNew) current = nextId;
      }
    }
    expect(cuts).toBeGreaterThan(40);
    const last = await time.until(session.deploy(packB));
    expect(last.selfTest.passed).toBe(64);
  });
});
