/** The hardware test on the real firmware (as wasm): the same run and the same judgements as the page's. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { writePack } from '../emit/pack';
import type { BoardIdentity } from './board';
import { createFakeTime } from '../../tests/fixtures/fake-time';
import {
  CHECKS,
  judgeDeploy,
  judgeHello,
  judgeReadBack,
  judgeReplug,
  judgeRestore,
  judgeSelfTest,
  judgeStream,
  judgeUnplug,
  measureStream,
  reportText,
  runHardwareTest,
} from './hardware-checks';
import type { Arrival, CheckId } from './hardware-checks';
import { packId } from './deploy';
import { probeModel, probePack } from './probe-model';
import { createSession } from './session';
import { smallModel } from '../../tests/fixtures/small-model';
import { hostInThread } from './virtual-board-host';
import { createVirtualLink } from './virtual-link';
import type { VirtualLinkOptions } from './virtual-link';

const wasm = new WebAssembly.Module(readFileSync(new URL('../../public/virtual-board.wasm', import.meta.url)));

const SERIAL = 'ABCDEF0123456789';

function bench(options: Partial<VirtualLinkOptions> = {}) {
  const time = createFakeTime();
  const link = createVirtualLink({
    wasm,
    startHost: hostInThread(time),
    timing: time,
    serial: SERIAL,
    factoryPack: writePack(smallModel(1)),
    ...options,
  });
  return { time, link, session: createSession(link, time) };
}

/** A person who pulls and plugs when asked. */
function person(b: ReturnType<typeof bench>) {
  return (id: CheckId): void => {
    if (id === 'unplug') b.time.timers.after(1500, () => b.link.unplug());
    if (id === 'replug') b.time.timers.after(2000, () => b.link.replug());
  };
}

describe('the hardware test', () => {
  it('passes on the virtual board, and leaves it as it was', async () => {
    const b = bench();
    const results = await b.time.until(
      runHardwareTest(b.session, {
        timing: b.time,
        makePack: (identity) => probePack(identity, 7),
        onBegin: person(b),
      }),
      600_000,
    );
    expect(results.map(({ id, verdict, reason }) => [id, verdict, reason])).toEqual(
      CHECKS.map((id) => [id, 'passed', null]),
    );
    expect(b.session.identity?.slots.find((slot) => slot.active)?.model?.name).toBe('small_1');
    const text = reportText(results, {
      app: 'Mote test',
      browser: 'none',
      link: 'virtual',
      identity: b.session.identity,
      day: '2026-11-26',
    });
    console.log(text);
    expect(text).toContain('passed (9 passed, 0 failed, 0 skipped)');
    expect(text).toContain('firmware 0.1.0');
    expect(text).not.toContain(SERIAL);
    expect(text).not.toContain('Virtual board');
  });

  it('says what is wrong when nobody pulls the cable, and goes on', async () => {
    const b = bench({ factoryPack: undefined as never });
    const results = await b.time.until(
      runHardwareTest(b.session, { timing: b.time, makePack: (identity) => probePack(identity, 7) }),
      600_000,
    );
    const verdicts = Object.fromEntries(results.map(({ id, verdict }) => [id, verdict]));
    expect(verdicts).toEqual({
      connect: 'passed',
      hello: 'passed',
      stream: 'passed',
      unplug: 'failed',
      replug: 'skipped',
      deploy: 'passed',
      'read-back': 'passed',
      'self-test': 'passed',
      restore: 'skipped',
    });
  });

  it('skips the rest of a board that is not there', async () => {
    const b = bench();
    b.link.unplug();
    const results = await b.time.until(
      runHardwareTest(b.session, { timing: b.time, makePack: (identity) => probePack(identity, 7) }),
    );
    expect(results.map(({ verdict }) => verdict)).toEqual(['failed', ...CHECKS.slice(1).map(() => 'skipped')]);
    expect(results[0]?.reason).toContain('unplugged');
  });

  it('can be cancelled while it waits for a person', async () => {
    const b = bench();
    const abort = new AbortController();
    const running = runHardwareTest(b.session, {
      timing: b.time,
      makePack: (identity) => probePack(identity, 7),
      signal: abort.signal,
      onBegin: (id) => {
        if (id === 'unplug') abort.abort();
      },
    });
    await expect(b.time.until(running)).rejects.toMatchObject({ code: 'cancelled' });
  });
});

describe('judgements', () => {
  const identity: BoardIdentity = {
    dialect: 'mote',
    name: 'Board',
    firmware: '1',
    serial: 'a',
    channels: [{ name: 'x', unit: 'g' }],
    rateHz: 100,
    rateEstimated: false,
    modelRamBytes: 1000,
    slots: [],
  };
  const arrivals = (count: number, ms: number): Arrival[] =>
    Array.from({ length: count }, (_, i) => ({ frames: 5, lostBefore: 0, arrivedAt: 1000 + i * ms }));

  it('a stream: rate, losses, gaps, jitter', () => {
    expect(judgeStream(arrivals(100, 50), identity).verdict).toBe('passed');
    expect(measureStream(arrivals(100, 50))).toMatchObject({ rateHz: 100, longestGapMs: 50, frames: 500, lost: 0 });
    expect(measureStream(arrivals(100, 50)).jitterMs).toBeLessThan(1e-6);
    const jittery = arrivals(100, 50).map((one, i) => ({ ...one, arrivedAt: one.arrivedAt + (i % 2 ? 4 : -4) }));
    expect(measureStream(jittery).jitterMs).toBeCloseTo(4, 1);
    expect(judgeStream([], identity).reason).toContain('No samples');
    expect(judgeStream(arrivals(100, 60), identity).reason).toContain('off the one told');
    expect(judgeStream(arrivals(100, 60), { ...identity, rateEstimated: true }).verdict).toBe('passed');
    const lossy = arrivals(100, 50).map((one, i) => ({ ...one, lostBefore: i === 50 ? 3 : 0 }));
    expect(judgeStream(lossy, identity).reason).toContain('3 frames were lost');
    const late = arrivals(100, 50).map((one, i) => ({ ...one, arrivedAt: one.arrivedAt + (i > 50 ? 1200 : 0) }));
    expect(judgeStream(late, identity).reason).toContain('Nothing came for 1250 ms');
  });

  it('a board that does not say who it is', () => {
    expect(judgeHello(identity).verdict).toBe('passed');
    for (const wrong of [
      { name: ' ' },
      { firmware: '' },
      { channels: [] },
      { channels: [{ name: '', unit: '' }] },
      { rateHz: 0 },
    ])
      expect(judgeHello({ ...identity, ...wrong }).verdict).toBe('failed');
  });

  it('a cable that nobody noticed, another board that came back', () => {
    expect(judgeUnplug([{ name: 'streaming' }], 5).verdict).toBe('failed');
    expect(judgeReplug(identity, identity, 'streaming', 900).verdict).toBe('passed');
    expect(judgeReplug(identity, identity, 'ready', 900).verdict).toBe('failed');
    expect(judgeReplug(identity, { ...identity, serial: 'b' }, 'streaming', 900).verdict).toBe('failed');
    expect(judgeReplug(identity, null, 'streaming', 900).verdict).toBe('failed');
  });

  it('a model that is not the one written', () => {
    const pack = writePack(probeModel(identity, 1));
    const id = packId(pack) ?? 0;
    const selfTest = { passed: 4, total: 4, firstFailure: null, averageUs: 10 };
    const report = { slot: 0, bytes: pack.length, writeMs: 1, verifyMs: 1, selfTest, modelId: id };
    const model = { id, name: 'probe', labels: [], packBytes: pack.length };
    const slot = { index: 0, capacityBytes: 9999, state: 'valid', active: true, model } as const;
    expect(judgeDeploy(report, pack, { ...identity, slots: [slot] }).verdict).toBe('passed');
    expect(judgeDeploy(report, pack, { ...identity, slots: [{ ...slot, index: 1 }] }).verdict).toBe('failed');
    expect(judgeDeploy({ ...report, modelId: 1 }, pack, { ...identity, slots: [slot] }).verdict).toBe('failed');
    expect(judgeRestore(id, { ...identity, slots: [slot] }).verdict).toBe('passed');
    expect(judgeRestore(1, { ...identity, slots: [slot] }).verdict).toBe('failed');
    const changed = pack.slice();
    changed[9] = (changed[9] ?? 0) ^ 1;
    expect(judgeReadBack(pack, pack).verdict).toBe('passed');
    expect(judgeReadBack(changed, pack).reason).toContain('number 9');
    expect(judgeReadBack(pack.subarray(1), pack).verdict).toBe('failed');
    expect(judgeSelfTest(selfTest).verdict).toBe('passed');
    expect(judgeSelfTest({ ...selfTest, passed: 3, firstFailure: 2 }).reason).toContain('window 2');
    expect(judgeSelfTest({ ...selfTest, passed: 0, total: 0 }).verdict).toBe('failed');
  });

  it('a probe model fits the board, or says that none does', () => {
    const slots = [{ index: 0, capacityBytes: 65_536, state: 'empty', active: false, model: null }] as const;
    for (const [rateHz, channels, modelRamBytes] of [
      [100, 6, 65_536],
      [62.5, 3, 1024],
      [10, 1, 400],
      [50, 9, 2048],
    ] as const) {
      const names = Array.from({ length: channels }, (_, i) => ({ name: `c${i}`, unit: '' }));
      expect(packId(probePack({ ...identity, rateHz, channels: names, modelRamBytes, slots }, 3))).not.toBeNull();
    }
    expect(() => probePack({ ...identity, modelRamBytes: 20, slots }, 3)).toThrow(/does not fit/);
  });
});
