/**
 * The hardware test: what must be true of a real board, as pure judgements over what was observed, and the sequence that
 * observes it over a session. The page at #/hardware-test and the automated tests run the same code.
 */
import { BoardError } from './board';
import type { BoardIdentity, BoardSession, DeployReport, SampleBatch, SelfTestReport, SessionState } from './board';
import { freeSlot, packId } from './deploy';
import { wait } from './timing';
import type { Timing } from './timing';

/** In the order in which they run. */
export const CHECKS = [
  'connect',
  'hello',
  'stream',
  'unplug',
  'replug',
  'deploy',
  'read-back',
  'self-test',
  'restore',
] as const;
export type CheckId = (typeof CHECKS)[number];

/** The stream is watched for so long. */
export const STREAM_MS = 5000;
/** A person finds the cable within this time, pulls it, and plugs it in again within the same. */
export const PERSON_TIMEOUT_MS = 90_000;
/** A board may boot, be enumerated and be asked who it is for so long. */
export const RECONNECT_TIMEOUT_MS = 30_000;
/** Measured and told rate may differ by so much: crystals of 2 %, resonators of more. */
const RATE_TOLERANCE = 0.05;
/** A rate that was itself estimated wanders more. */
const ESTIMATED_TOLERANCE = 0.25;
/** Without samples for longer than this, a window would have a visible hole. */
const LONGEST_GAP_MS = 1000;

export interface Figure {
  readonly name: string;
  readonly value: number;
  /** "Hz", "ms", "frames", "B", "windows", "" */
  readonly unit: string;
}

export interface Judgement {
  readonly verdict: 'passed' | 'failed' | 'skipped';
  /** Why it failed or was left out; null when it passed. */
  readonly reason: string | null;
  readonly figures: readonly Figure[];
}

export interface CheckResult extends Judgement {
  readonly id: CheckId;
}

function judged(complaints: readonly (string | null)[], figures: readonly Figure[]): Judgement {
  const reasons = complaints.filter((complaint) => complaint !== null);
  return reasons.length === 0
    ? { verdict: 'passed', reason: null, figures }
    : { verdict: 'failed', reason: reasons.join(' '), figures };
}

export function judgeHello(identity: BoardIdentity): Judgement {
  const unnamed = identity.channels.filter(({ name }) => name.trim() === '').length;
  return judged(
    [
      identity.name.trim() === '' ? 'The board has no name.' : null,
      identity.dialect === 'mote' && identity.firmware === '' ? 'The firmware tells no version.' : null,
      identity.channels.length === 0 ? 'The board has no channels.' : null,
      unnamed > 0 ? `${unnamed} channels have no name.` : null,
      identity.rateHz > 0 ? null : 'The board tells no rate.',
    ],
    [
      { name: 'channels', value: identity.channels.length, unit: '' },
      { name: 'rate told', value: identity.rateHz, unit: 'Hz' },
      { name: 'slots', value: identity.slots.length, unit: '' },
      ...(identity.modelRamBytes === null
        ? []
        : [{ name: 'RAM for a model', value: identity.modelRamBytes, unit: 'B' }]),
    ],
  );
}

/** A batch as far as the judgement needs it. */
export type Arrival = Pick<SampleBatch, 'frames' | 'lostBefore' | 'arrivedAt'>;

export interface StreamMeasure {
  /** Frames after the first batch per second between first and last arrival. */
  readonly rateHz: number;
  /** RMS distance of the arrivals from the straight line through them (least squares), ms. */
  readonly jitterMs: number;
  readonly longestGapMs: number;
  readonly frames: number;
  readonly lost: number;
}

export function measureStream(arrivals: readonly Arrival[]): StreamMeasure {
  let frames = 0;
  let lost = 0;
  let longestGapMs = 0;
  const points = arrivals.map(({ frames: count, lostBefore, arrivedAt }, i) => {
    frames += count;
    if (i > 0) {
      lost += lostBefore;
      longestGapMs = Math.max(longestGapMs, arrivedAt - (arrivals[i - 1]?.arrivedAt ?? arrivedAt));
    }
    return { frame: frames + lost, at: arrivedAt };
  });
  const first = points[0];
  const last = points.at(-1);
  if (!first || !last || last.at <= first.at) return { rateHz: 0, jitterMs: 0, longestGapMs, frames, lost };
  const meanFrame = points.reduce((sum, { frame }) => sum + frame, 0) / points.length;
  const meanAt = points.reduce((sum, { at }) => sum + at, 0) / points.length;
  const spread = points.reduce((sum, { frame }) => sum + (frame - meanFrame) ** 2, 0);
  const slope = points.reduce((sum, { frame, at }) => sum + (frame - meanFrame) * (at - meanAt), 0) / spread;
  const square = points.reduce((sum, { frame, at }) => sum + (at - meanAt - slope * (frame - meanFrame)) ** 2, 0);
  return {
    rateHz: (1000 * (last.frame - first.frame)) / (last.at - first.at),
    jitterMs: Math.sqrt(square / points.length),
    longestGapMs,
    frames,
    lost,
  };
}

export function judgeStream(
  arrivals: readonly Arrival[],
  told: Pick<BoardIdentity, 'rateHz' | 'rateEstimated'>,
): Judgement {
  const { rateHz, jitterMs, longestGapMs, frames, lost } = measureStream(arrivals);
  const tolerance = told.rateEstimated ? ESTIMATED_TOLERANCE : RATE_TOLERANCE;
  const off = Math.abs(rateHz - told.rateHz) / told.rateHz;
  const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
  return judged(
    frames === 0
      ? ['No samples came.']
      : [
          lost > 0 ? `${lost} frames were lost.` : null,
          off <= tolerance
            ? null
            : `The measured rate is ${percent(off)} off the one told (allowed: ${percent(tolerance)}).`,
          longestGapMs > Math.max(LONGEST_GAP_MS, 3000 / told.rateHz)
            ? `Nothing came for ${longestGapMs.toFixed(0)} ms.`
            : null,
        ],
    [
      { name: 'rate measured', value: rateHz, unit: 'Hz' },
      { name: 'rate told', value: told.rateHz, unit: 'Hz' },
      { name: 'jitter of arrival (RMS)', value: jitterMs, unit: 'ms' },
      { name: 'longest gap', value: longestGapMs, unit: 'ms' },
      { name: 'received', value: frames, unit: 'frames' },
      { name: 'lost', value: lost, unit: 'frames' },
    ],
  );
}

/** `states` from just before the pull until the board is lost. */
export function judgeUnplug(states: readonly SessionState[], reactionMs: number | null): Judgement {
  const lost = states.find((state) => state.name === 'lost');
  return judged(
    [
      lost ? null : 'The studio did not notice that the cable was pulled.',
      lost && lost.error.code !== 'disconnected' ? `The studio took it for something else (${lost.error.code}).` : null,
    ],
    reactionMs === null ? [] : [{ name: 'noticed after', value: reactionMs, unit: 'ms' }],
  );
}

export function judgeReplug(
  before: BoardIdentity,
  after: BoardIdentity | null,
  state: SessionState['name'],
  backMs: number,
): Judgement {
  return judged(
    [
      state === 'streaming' ? null : `The board is “${state}” and not streaming again.`,
      after?.name === before.name ? null : 'Another board came back.',
      after && before.serial !== after.serial ? 'The board came back with another serial number.' : null,
      after?.channels.length === before.channels.length ? null : 'The board came back with other channels.',
    ],
    [{ name: 'streams again after', value: backMs, unit: 'ms' }],
  );
}

export function judgeDeploy(report: DeployReport, pack: Uint8Array, identity: BoardIdentity | null): Judgement {
  const active = identity?.slots.find((slot) => slot.active);
  return judged(
    [
      report.modelId === packId(pack) ? null : 'The board names another model than the one written.',
      report.bytes === pack.length ? null : `${report.bytes} of ${pack.length} bytes were written.`,
      active?.model?.id === report.modelId ? null : 'The board does not run the model that was written.',
      active?.index === report.slot ? null : 'Another slot is running than the one written.',
    ],
    [
      { name: 'model', value: pack.length, unit: 'B' },
      { name: 'write', value: report.writeMs, unit: 'ms' },
      { name: 'write speed', value: report.writeMs > 0 ? pack.length / (report.writeMs / 1000) : 0, unit: 'B/s' },
      { name: 'verify', value: report.verifyMs, unit: 'ms' },
    ],
  );
}

export function judgeReadBack(read: Uint8Array, written: Uint8Array): Judgement {
  const differs = written.findIndex((byte, i) => read[i] !== byte);
  return judged(
    [
      read.length === written.length ? null : `${read.length} bytes came back of ${written.length}.`,
      differs < 0 ? null : `The bytes differ from number ${differs} on.`,
    ],
    [{ name: 'compared', value: Math.min(read.length, written.length), unit: 'B' }],
  );
}

export function judgeSelfTest({ passed, total, firstFailure, averageUs }: SelfTestReport): Judgement {
  return judged(
    [
      total > 0 ? null : 'The model has no known answers.',
      passed === total ? null : `${total - passed} windows gave other bytes, first window ${firstFailure ?? 0}.`,
    ],
    [
      { name: 'windows equal', value: passed, unit: 'windows' },
      { name: 'windows', value: total, unit: 'windows' },
      { name: 'one window', value: averageUs / 1000, unit: 'ms' },
    ],
  );
}

/** `previous` is the model that ran before the test. */
export function judgeRestore(previous: number, identity: BoardIdentity | null): Judgement {
  const active = identity?.slots.find((slot) => slot.active);
  return judged(
    [active?.model?.id === previous ? null : 'The board does not run the model that it ran before the test.'],
    [],
  );
}

export interface HardwareTestOptions {
  readonly timing: Timing;
  /** A small model for the board's own channels, not the one that it runs. Throws when none fits. */
  readonly makePack: (identity: BoardIdentity) => Uint8Array;
  readonly signal?: AbortSignal | undefined;
  /** The check that runs now; `unplug` and `replug` wait for a person. */
  readonly onBegin?: (id: CheckId) => void;
  readonly onResult?: (result: CheckResult) => void;
}

const skipped = (reason: string): Judgement => ({ verdict: 'skipped', reason, figures: [] });

/** Runs all checks; never rejects but with BoardError `cancelled`. A check that cannot run is skipped with its reason. */
export async function runHardwareTest(session: BoardSession, options: HardwareTestOptions): Promise<CheckResult[]> {
  const { timing, signal } = options;
  const { clock, timers } = timing;
  const results: CheckResult[] = [];
  const abort = signal ? { signal } : {};
  const states: SessionState[] = [];
  const arrivals: Arrival[] = [];
  const off = [
    session.on('state', (state) => states.push(state)),
    session.on('samples', (batch) => arrivals.push(batch)),
  ];

  async function check(id: CheckId, run: () => Promise<Judgement> | Judgement): Promise<boolean> {
    options.onBegin?.(id);
    let judgement: Judgement;
    try {
      judgement = await run();
    } catch (error) {
      if (signal?.aborted) throw new BoardError('cancelled', 'The hardware test was cancelled.', { cause: error });
      const reason =
        error instanceof BoardError
          ? `${error.code}: ${error.message}`
          : error instanceof Error
            ? error.message
            : 'unknown';
      judgement = { verdict: 'failed', reason, figures: [] };
    }
    const result = { id, ...judgement };
    results.push(result);
    options.onResult?.(result);
    return judgement.verdict === 'passed';
  }

  /** Waits for a state; null when it did not come. */
  async function until(test: () => boolean, limitMs: number): Promise<number | null> {
    const start = clock();
    while (!test()) {
      if (clock() - start >= limitMs) return null;
      await wait(timers, 50, signal);
    }
    return clock() - start;
  }

  function skipRest(reason: string): CheckResult[] {
    for (const id of CHECKS.slice(results.length)) {
      const result = { id, ...skipped(reason) };
      results.push(result);
      options.onResult?.(result);
    }
    return results;
  }

  const lost = (): boolean => session.state.name === 'lost';
  const streaming = (): boolean => session.state.name === 'streaming';

  try {
    const connected = await check('connect', async () => {
      const start = clock();
      await session.connect(abort);
      return judged([], [{ name: 'connected after', value: clock() - start, unit: 'ms' }]);
    });
    const before = session.identity;
    if (!connected || !before) return skipRest('The board is not connected.');
    await check('hello', () => judgeHello(before));

    const streamed = await check('stream', async () => {
      await session.startStream();
      // What was under way before the watch began is not its business.
      await wait(timers, 300, signal);
      arrivals.length = 0;
      await wait(timers, STREAM_MS, signal);
      return judgeStream(arrivals, session.identity ?? before);
    });

    const pulled = await check('unplug', async () => {
      if (!streamed && !streaming()) return skipped('The board does not stream.');
      states.length = 0;
      const lastSample = (): number => arrivals.at(-1)?.arrivedAt ?? clock();
      const noticed = await until(lost, PERSON_TIMEOUT_MS);
      return judgeUnplug(states, noticed === null ? null : Math.max(0, clock() - lastSample()));
    });
    await check('replug', async () => {
      if (!pulled) return skipped('The cable was not pulled.');
      if ((await until(() => !lost(), PERSON_TIMEOUT_MS)) === null) {
        return judged(['The board did not come back by itself. Choose it again.'], []);
      }
      const back = await until(streaming, RECONNECT_TIMEOUT_MS);
      return judgeReplug(before, session.identity, session.state.name, back ?? RECONNECT_TIMEOUT_MS);
    });

    const board = session.identity;
    if (!board || (session.state.name !== 'streaming' && session.state.name !== 'ready')) {
      return skipRest('The board is not connected.');
    }
    if (board.slots.length === 0) {
      return skipRest('This board has no slots: it sends numbers, and models reach it as model.h.');
    }
    if (!freeSlot(board.slots)) return skipRest('The board has no slot beside the running one.');
    const previous = board.slots.find((slot) => slot.active && slot.state === 'valid') ?? null;
    let pack: Uint8Array = new Uint8Array();
    const deployed = await check('deploy', async () => {
      pack = options.makePack(board);
      const report = await session.deploy(pack, abort);
      return judgeDeploy(report, pack, session.identity);
    });
    if (!deployed) return skipRest('The model was not written.');
    await check('read-back', async () => judgeReadBack(await session.readModel(abort), pack));
    await check('self-test', async () => judgeSelfTest(await session.selfTest(abort)));
    await check('restore', async () => {
      if (!previous?.model) return skipped('The board ran no model before; it keeps the test’s.');
      await session.activateSlot(previous.index);
      return judgeRestore(previous.model.id, session.identity);
    });
    return results;
  } finally {
    for (const stop of off) stop();
  }
}

export interface ReportFacts {
  /** "Mote 0.1.0" */
  readonly app: string;
  /** "Chromium 140, Linux" */
  readonly browser: string;
  /** How the board is reached: "web-serial 2341:0043 at 115200 baud". */
  readonly link: string;
  readonly identity: BoardIdentity | null;
  /** Day, ISO. */
  readonly day: string;
}

/** The result as text to paste into an issue. Holds no serial number and no names that people gave. */
export function reportText(results: readonly CheckResult[], facts: ReportFacts): string {
  const { identity } = facts;
  const failed = results.filter(({ verdict }) => verdict === 'failed').length;
  const passed = results.filter(({ verdict }) => verdict === 'passed').length;
  const nameless = (text: string): string =>
    identity && identity.name !== '' ? text.replaceAll(identity.name, 'the board') : text;
  const number = (value: number): string => String(Number(value.toPrecision(5)));
  const lines = [
    `Mote hardware test: ${failed > 0 ? 'FAILED' : 'passed'} (${passed} passed, ${failed} failed, ${results.length - passed - failed} skipped)`,
    `App: ${facts.app}`,
    `Browser: ${facts.browser}`,
    `Day: ${facts.day}`,
    `Link: ${facts.link}`,
    `Board: ${identity ? `${identity.dialect}, firmware ${identity.firmware || 'not told'}` : 'unknown'}`,
    '',
  ];
  for (const { id, verdict, reason, figures } of results) {
    lines.push(`[${verdict}] ${id}${reason === null ? '' : `: ${nameless(reason)}`}`);
    for (const { name, value, unit } of figures) lines.push(`    ${name}: ${number(value)}${unit ? ` ${unit}` : ''}`);
  }
  return `${lines.join('\n')}\n`;
}
