/** Makes one recording at a time: countdown, journalled samples, then a complete recording in the store. */
import type { BoardIdentity, SampleBatch } from '../../board/board';
import type { Recording } from '../../signal/recording';
import type { RecordingJournal } from '../../store/studio-store';
import { isoTime } from '../messages/format';
import type { StudioServices } from '../services';
import type { Board } from './boards.svelte';
import type { Recordings } from './recordings.svelte';

export type RecorderPhase = 'idle' | 'countdown' | 'recording' | 'saving';

/** Why a recording ended before its length. */
export type RecorderEnd = 'complete' | 'stopped' | 'lost' | 'channels-changed' | 'store';

const COUNTDOWN_TICK_MS = 1000;

export interface RecordSettings {
  readonly label: string;
  /** Seconds to record; null records until stopped. */
  readonly seconds: number | null;
  /** Whole seconds to count down before. */
  readonly countdown: number;
}

export class Recorder {
  phase = $state<RecorderPhase>('idle');
  /** Seconds left of the countdown. */
  countdown = $state(0);
  frames = $state(0);
  lost = $state(0);
  /** Rate and length of the recording being made. */
  rateHz = $state(0);
  targetFrames = $state<number | null>(null);
  label = $state('');
  /** The ring frame (of the board's ring) at which the recording began: the scope marks it. */
  startFrame = $state(0);
  ended = $state.raw<{
    readonly end: RecorderEnd;
    readonly recording: Recording | null;
    readonly error: Error | null;
  } | null>(null);

  #journal: RecordingJournal | null = null;
  #stop: (() => void) | null = null;
  #cancelCountdown: (() => void) | null = null;
  #malformedAtStart = 0;

  constructor(
    private readonly services: StudioServices,
    private readonly recordings: Recordings,
    private readonly sessionId: string,
  ) {}

  get active(): boolean {
    return this.phase !== 'idle';
  }

  get seconds(): number {
    return this.rateHz > 0 ? this.frames / this.rateHz : 0;
  }

  async start(board: Board, settings: RecordSettings): Promise<void> {
    if (this.active) return;
    this.ended = null;
    this.label = settings.label;
    this.frames = 0;
    this.lost = 0;
    if (!(await this.#count(settings.countdown))) {
      this.phase = 'idle';
      return;
    }
    const identity = board.identity;
    if (!identity || !board.streaming) {
      this.phase = 'idle';
      this.ended = { end: 'lost', recording: null, error: board.error };
      return;
    }
    this.rateHz = identity.rateHz;
    this.targetFrames = settings.seconds === null ? null : Math.max(1, Math.round(settings.seconds * identity.rateHz));
    this.#malformedAtStart = board.lineStats?.malformed ?? 0;
    try {
      this.#journal = await this.recordings.store.beginRecording(this.#describe(board, identity, settings.label));
    } catch (error) {
      this.phase = 'idle';
      this.ended = { end: 'store', recording: null, error: error as Error };
      return;
    }
    this.startFrame = board.ring.total;
    this.phase = 'recording';
    const channels = identity.channels.length;
    const offSamples = board.onSamples((batch) => this.#append(batch, channels, board));
    const offState = board.session.on('state', (state) => {
      if (state.name === 'lost' || state.name === 'failed' || state.name === 'closed') void this.#finish('lost', board);
    });
    const offIdentity = board.session.on('identity', (next) => {
      if (next.channels.length !== channels) void this.#finish('channels-changed', board);
    });
    this.#stop = () => {
      offSamples();
      offState();
      offIdentity();
    };
    this.#board = board;
  }

  #board: Board | null = null;

  /** Ends the recording and keeps it. During the countdown: cancels. */
  async stop(): Promise<void> {
    if (this.phase === 'countdown') this.#cancelCountdown?.();
    else if (this.phase === 'recording' && this.#board) await this.#finish('stopped', this.#board);
  }

  /** Throws the recording away. */
  async cancel(): Promise<void> {
    if (this.phase === 'countdown') this.#cancelCountdown?.();
    if (this.phase !== 'recording') return;
    const journal = this.#journal;
    this.#release();
    this.phase = 'saving';
    try {
      await journal?.discard();
    } finally {
      this.phase = 'idle';
    }
  }

  #count(seconds: number): Promise<boolean> {
    if (seconds <= 0) return Promise.resolve(true);
    this.phase = 'countdown';
    this.countdown = seconds;
    return new Promise((resolve) => {
      const timer = setInterval(() => {
        this.countdown -= 1;
        if (this.countdown <= 0) done(true);
      }, COUNTDOWN_TICK_MS);
      const done = (go: boolean) => {
        clearInterval(timer);
        this.#cancelCountdown = null;
        resolve(go);
      };
      this.#cancelCountdown = () => done(false);
    });
  }

  #describe(board: Board, identity: BoardIdentity, label: string): Omit<Recording, 'frames'> {
    const createdAt = this.services.now();
    const clean = label.trim();
    return {
      id: this.services.randomId(),
      name: `${clean === '' ? identity.name : clean} ${isoTime(createdAt).slice(0, 19).replace('T', ' ')}`,
      createdAt,
      sessionId: this.sessionId,
      channels: identity.channels,
      rateHz: identity.rateHz,
      measuredRateHz: null,
      label: clean === '' ? null : clean,
      segments: [],
      split: 'auto',
      source: {
        kind: 'board',
        boardName: board.name,
        firmware: identity.firmware,
        dialect: identity.dialect,
        appVersion: __APP_VERSION__,
      },
      quality: { lostFrames: 0, gaps: 0, jitterMs: null, malformed: 0 },
    };
  }

  #gaps = 0;
  /** Sums for the regression of arrival (or board) time on frame number: measured rate and jitter. */
  readonly #timing = { n: 0, x: 0, y: 0, xx: 0, xy: 0, yy: 0, x0: 0, y0: 0 };

  #append(batch: SampleBatch, channels: number, board: Board): void {
    if (this.phase !== 'recording' || batch.samples.length !== batch.frames * channels) return;
    const room = this.targetFrames === null ? batch.frames : Math.min(batch.frames, this.targetFrames - this.frames);
    if (batch.lostBefore > 0 && this.frames > 0) {
      this.lost += batch.lostBefore;
      this.#gaps += 1;
    }
    this.#time(this.frames + this.lost, batch.boardTimeUs === null ? batch.arrivedAt : batch.boardTimeUs / 1000);
    this.#journal?.append({ frames: room, samples: batch.samples.slice(0, room * channels) });
    this.frames += room;
    if (this.targetFrames !== null && this.frames >= this.targetFrames) void this.#finish('complete', board);
  }

  #time(frame: number, ms: number): void {
    const sums = this.#timing;
    if (sums.n === 0) {
      sums.x0 = frame;
      sums.y0 = ms;
    }
    const x = frame - sums.x0;
    const y = ms - sums.y0;
    sums.n += 1;
    sums.x += x;
    sums.y += y;
    sums.xx += x * x;
    sums.xy += x * y;
    sums.yy += y * y;
  }

  #measured(): { rateHz: number | null; jitterMs: number | null } {
    const { n, x, y, xx, xy, yy } = this.#timing;
    if (n < 3) return { rateHz: null, jitterMs: null };
    const sxx = xx - (x * x) / n;
    const sxy = xy - (x * y) / n;
    const syy = yy - (y * y) / n;
    if (!(sxx > 0 && sxy > 0)) return { rateHz: null, jitterMs: null };
    return { rateHz: 1000 / (sxy / sxx), jitterMs: Math.sqrt(Math.max(0, syy - (sxy * sxy) / sxx) / n) };
  }

  #release(): void {
    this.#stop?.();
    this.#stop = null;
    this.#journal = null;
    this.#board = null;
    this.#gaps = 0;
    Object.assign(this.#timing, { n: 0, x: 0, y: 0, xx: 0, xy: 0, yy: 0, x0: 0, y0: 0 });
  }

  async #finish(end: RecorderEnd, board: Board): Promise<void> {
    const journal = this.#journal;
    if (this.phase !== 'recording' || !journal) return;
    this.phase = 'saving';
    const measured = this.#measured();
    const quality = {
      lostFrames: this.lost,
      gaps: this.#gaps,
      jitterMs: measured.jitterMs,
      malformed: Math.max(0, (board.lineStats?.malformed ?? 0) - this.#malformedAtStart),
    };
    const empty = this.frames === 0;
    this.#release();
    try {
      if (empty) {
        await journal.discard();
        this.ended = { end, recording: null, error: null };
      } else {
        const recording = await journal.finish({ quality, measuredRateHz: measured.rateHz });
        await this.recordings.refresh();
        this.ended = { end, recording, error: null };
      }
    } catch (error) {
      // What was journalled so far is offered back as an unfinished recording.
      this.ended = { end: 'store', recording: null, error: error as Error };
      await this.recordings.refresh().catch(() => undefined);
    } finally {
      this.phase = 'idle';
    }
  }
}
