/** Makes one recording at a time: countdown, journalled samples, then a complete recording in the store. */
import type { BoardIdentity, SampleBatch } from '../../board/board';
import { QualityMeter, roundRate } from '../../signal/quality';
import type { Recording } from '../../signal/recording';
import type { RecordingJournal } from '../../store/studio-store';
import { isoTime } from '../messages/format';
import type { StudioServices } from '../services';
import type { Board } from './boards.svelte';
import type { Recordings } from './recordings.svelte';

export type RecorderPhase = 'idle' | 'countdown' | 'recording' | 'saving';

/** Why a recording ended. */
export type RecorderEnd = 'complete' | 'stopped' | 'lost' | 'changed' | 'store';

export interface RecorderOutcome {
  readonly end: RecorderEnd;
  /** Null when nothing was recorded, or when it could not be completed and is offered back instead. */
  readonly recording: Recording | null;
  readonly error: Error | null;
}

export interface RecordSettings {
  readonly label: string;
  /** Seconds to record; null records until stopped. */
  readonly seconds: number | null;
  /** Whole seconds to count down before. */
  readonly countdown: number;
}

const COUNTDOWN_TICK_MS = 1000;

/** A recording under way: everything that ends together. */
interface Take {
  readonly board: Board;
  readonly identity: BoardIdentity;
  readonly journal: RecordingJournal;
  readonly meter: QualityMeter;
  readonly malformedBefore: number;
  readonly release: () => void;
}

export class Recorder {
  phase = $state<RecorderPhase>('idle');
  /** Seconds left of the countdown. */
  countdown = $state(0);
  frames = $state(0);
  lost = $state(0);
  rateHz = $state(0);
  targetFrames = $state<number | null>(null);
  label = $state('');
  /** Frame number in the board's ring at which the recording began: the scope marks it. */
  startFrame = $state(0);
  /** How the last recording ended. */
  ended = $state.raw<RecorderOutcome | null>(null);

  #take: Take | null = null;
  #cancelCountdown: (() => void) | null = null;

  constructor(
    private readonly services: StudioServices,
    private readonly recordings: Recordings,
    private readonly sessionId: string,
    private readonly onEnd: (outcome: RecorderOutcome) => void = () => undefined,
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
    this.label = settings.label.trim();
    this.frames = 0;
    this.lost = 0;
    if (!(await this.#count(settings.countdown))) {
      this.phase = 'idle';
      return;
    }
    const identity = board.identity;
    if (!identity || !board.streaming || identity.rateHz <= 0) {
      this.#end({ end: 'lost', recording: null, error: board.error });
      return;
    }
    this.phase = 'recording';
    // An estimate wanders a little; recordings made with one setting must have one nominal rate.
    this.rateHz = identity.rateEstimated ? roundRate(identity.rateHz) : identity.rateHz;
    this.targetFrames = settings.seconds === null ? null : Math.max(1, Math.round(settings.seconds * this.rateHz));
    let journal: RecordingJournal;
    try {
      journal = await this.recordings.store.beginRecording(this.#describe(board, identity));
    } catch (error) {
      this.#end({ end: 'store', recording: null, error: error as Error });
      return;
    }
    this.startFrame = board.ring.total;
    const off = [
      board.onSamples((batch) => this.#append(batch)),
      board.session.on('state', ({ name }) => {
        if (name === 'lost' || name === 'failed' || name === 'closed' || name === 'programming')
          void this.#finish('lost');
      }),
      board.session.on('identity', (next) => {
        if (next.channels.length !== identity.channels.length) void this.#finish('changed');
      }),
      journal.onFailure((error) => void this.#finish('store', error)),
    ];
    this.#take = {
      board,
      identity,
      journal,
      meter: new QualityMeter(),
      malformedBefore: board.lineStats?.malformed ?? 0,
      release: () => off.forEach((unsubscribe) => unsubscribe()),
    };
    // The board may have gone while the journal was being opened.
    if (!board.streaming) void this.#finish('lost');
  }

  /** Ends the recording and keeps it. During the countdown: cancels. */
  async stop(): Promise<void> {
    if (this.phase === 'countdown') this.#cancelCountdown?.();
    else await this.#finish('stopped');
  }

  /** Throws the recording away. */
  async cancel(): Promise<void> {
    if (this.phase === 'countdown') this.#cancelCountdown?.();
    const take = this.#release();
    if (!take) return;
    this.phase = 'saving';
    try {
      await take.journal.discard();
    } finally {
      this.phase = 'idle';
    }
  }

  #count(seconds: number): Promise<boolean> {
    if (seconds <= 0) return Promise.resolve(true);
    this.phase = 'countdown';
    this.countdown = seconds;
    return new Promise((resolve) => {
      const done = (go: boolean) => {
        clearInterval(timer);
        this.#cancelCountdown = null;
        resolve(go);
      };
      const timer = setInterval(() => {
        this.countdown -= 1;
        if (this.countdown <= 0) done(true);
      }, COUNTDOWN_TICK_MS);
      this.#cancelCountdown = () => done(false);
    });
  }

  #describe(board: Board, identity: BoardIdentity): Omit<Recording, 'frames'> {
    const createdAt = this.services.now();
    return {
      id: this.services.randomId(),
      name: `${this.label === '' ? identity.name : this.label} ${isoTime(createdAt).slice(0, 19).replace('T', ' ')}`,
      createdAt,
      sessionId: this.sessionId,
      channels: identity.channels,
      rateHz: this.rateHz,
      measuredRateHz: null,
      label: this.label === '' ? null : this.label,
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

  #append(batch: SampleBatch): void {
    const take = this.#take;
    if (!take || this.phase !== 'recording') return;
    const channels = take.identity.channels.length;
    if (batch.samples.length !== batch.frames * channels) return;
    const frames = this.targetFrames === null ? batch.frames : Math.min(batch.frames, this.targetFrames - this.frames);
    take.meter.add({ ...batch, frames });
    try {
      take.journal.append({ frames, samples: batch.samples.subarray(0, frames * channels) });
    } catch (error) {
      void this.#finish('store', error as Error);
      return;
    }
    this.frames += frames;
    this.lost = take.meter.quality.lostFrames;
    if (this.targetFrames !== null && this.frames >= this.targetFrames) void this.#finish('complete');
  }

  #release(): Take | null {
    const take = this.#take;
    take?.release();
    this.#take = null;
    return take;
  }

  #end(outcome: RecorderOutcome): void {
    this.ended = outcome;
    this.phase = 'idle';
    this.onEnd(outcome);
  }

  async #finish(end: RecorderEnd, failure: Error | null = null): Promise<void> {
    const take = this.#release();
    if (!take) return;
    this.phase = 'saving';
    const { journal, meter } = take;
    const malformed = Math.max(0, (take.board.lineStats?.malformed ?? 0) - take.malformedBefore);
    try {
      if (this.frames === 0) {
        await journal.discard();
        this.#end({ end, recording: null, error: failure });
        return;
      }
      const recording = await journal.finish({
        quality: { ...meter.quality, malformed },
        measuredRateHz: meter.measuredRateHz,
      });
      await this.recordings.refresh();
      this.#end({ end, recording, error: failure });
    } catch (error) {
      // What was journalled so far is offered back as an unfinished recording.
      await this.recordings.refresh().catch(() => undefined);
      this.#end({ end: 'store', recording: null, error: failure ?? (error as Error) });
    }
  }
}
