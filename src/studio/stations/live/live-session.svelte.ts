/** Runs one model in the browser on a board's samples and, where the board runs it too, compares every window. */
import type { BoardResult, SampleBatch } from '../../../board/board';
import { windowFrames, strideFrames } from '../../../dsp/block';
import type { Model, Smoothing } from '../../../emit/model';
import { createRunner, createSmoother, type ModelRunner, type Smoother } from '../../../emit/run-model';
import type { Board } from '../../state/boards.svelte';
import { sequenceDistance, WindowMatcher } from './window-matcher';

/** What one side said last. */
export interface Answer {
  readonly scores: readonly number[];
  /** Index of the label after smoothing and threshold; null = uncertain. */
  readonly decision: number | null;
}

export interface Difference {
  readonly sequence: number;
  readonly board: readonly number[];
  readonly browser: readonly number[];
  /** CRC-32 of the quantized features. */
  readonly boardCrc: number;
  readonly browserCrc: number;
}

/** A stretch of time with one decision. */
export interface Spell {
  readonly decision: number | null;
  readonly windows: number;
}

export interface Times {
  readonly dspUs: number;
  readonly networkUs: number;
}

/** Results that wait for their samples; more means that the stream stopped. */
const MOST_WAITING = 64;
/** The screen is for people: ten updates a second. */
const SHOW_MS = 100;
/** Decisions remembered for the ribbon. */
const MOST_DECISIONS = 120;
/** Windows over which times are averaged. */
const AVERAGED = 16;
/** The measured rate of windows looks back so far, ms. */
const RATE_SPAN_MS = 5000;
/** The first of several windows in one burst says little about the rate. */
const RATE_LEAST_MS = 800;

export class LiveSession {
  /** The board's latest answer, if it classifies. */
  board = $state.raw<Answer | null>(null);
  browser = $state.raw<Answer | null>(null);
  boardTimes = $state.raw<Times | null>(null);
  /** Milliseconds per window in the browser, features and network together. */
  browserMs = $state<number | null>(null);
  /** Measured over the last seconds, by arrival. */
  windowsPerSecond = $state<number | null>(null);
  compared = $state(0);
  identical = $state(0);
  /** Results whose samples were lost on the way. */
  skipped = $state(0);
  difference = $state.raw<Difference | null>(null);
  history = $state.raw<readonly Spell[]>([]);
  /** True when the board sends results for this model. */
  readonly comparing: boolean;
  readonly windowMs: number;
  readonly strideMs: number;

  readonly #runner: ModelRunner;
  readonly #matcher: WindowMatcher;
  readonly #frames: number;
  readonly #stride: number;
  readonly #off: (() => void)[] = [];
  #smoother: Smoother;
  #waiting: BoardResult[] = [];
  /** Frames pushed since the start and until the next own window; only without the board's results. */
  #pushed = 0;
  #sequence = 0;
  #latestBoard: Answer | null = null;
  #latestBrowser: Answer | null = null;
  readonly #boardUs: Times[] = [];
  readonly #browserTook: number[] = [];
  #counts = { compared: 0, identical: 0, skipped: 0 };
  #decisions: (number | null)[] = [];
  /** When windows of the last seconds were answered, ms. */
  #answeredAt: number[] = [];

  constructor(
    readonly source: Board,
    readonly model: Model,
    modelId: number,
    smoothing: Smoothing,
    private readonly clock: () => number,
  ) {
    this.#runner = createRunner(model);
    this.#smoother = createSmoother({ graph: model.graph, smoothing });
    this.#frames = windowFrames(model.input);
    this.#stride = strideFrames(model.input);
    this.windowMs = model.input.windowMs;
    this.strideMs = model.input.strideMs;
    this.#matcher = new WindowMatcher(model.input.channels.length, this.#frames + 4 * this.#stride + 256);
    this.comparing = source.activeModel?.id === modelId;
    this.#off.push(source.onSamples((batch) => this.#takeSamples(batch)));
    if (this.comparing)
      this.#off.push(
        source.onResult((result) => {
          if (result.modelId === modelId) this.#takeResult(result);
        }),
      );
    const timer = setInterval(() => this.#show(), SHOW_MS);
    this.#off.push(() => {
      clearInterval(timer);
      this.#show();
    });
  }

  /** Decides anew with other settings; the bytes stay. */
  setSmoothing(smoothing: Smoothing): void {
    this.#smoother = createSmoother({ graph: this.model.graph, smoothing });
  }

  resetCounts(): void {
    this.#counts = { compared: 0, identical: 0, skipped: 0 };
    this.difference = null;
    this.#show();
  }

  stop(): void {
    for (const off of this.#off.splice(0)) off();
  }

  #takeSamples(batch: SampleBatch): void {
    if (batch.samples.length !== batch.frames * this.#matcher.channels) return;
    // Boards without sequence numbers: count for them, and step over what is known to be lost.
    const sequence = batch.sequence ?? (this.#sequence + batch.lostBefore) >>> 0;
    this.#sequence = (sequence + batch.frames) >>> 0;
    if (batch.sequence === null && batch.lostBefore > 0) this.#pushed = 0;
    this.#matcher.push(sequence, batch.samples);
    if (this.comparing) this.#settleWaiting();
    else this.#classifyOwn(batch.frames);
  }

  /** Without a board that classifies: a window at every stride, as the board would. */
  #classifyOwn(frames: number): void {
    const before = this.#pushed;
    this.#pushed += frames;
    const next = this.#matcher.next;
    if (next === null) return;
    const nth = (pushed: number) =>
      pushed < this.#frames ? 0 : Math.floor((pushed - this.#frames) / this.#stride) + 1;
    const done = nth(this.#pushed);
    for (let index = nth(before); index < done; index++) {
      const behind = this.#pushed - (this.#frames + index * this.#stride);
      const window = this.#matcher.window((next - 1 - behind) >>> 0, this.#frames);
      if (!(window instanceof Float32Array)) continue;
      this.#countWindow();
      this.#classify(window);
    }
  }

  #takeResult(result: BoardResult): void {
    this.#countWindow();
    // A board that does not decide leaves it to the browser's smoothing of the same scores.
    const decision = result.decision === undefined ? (this.#latestBrowser?.decision ?? null) : result.decision;
    this.#latestBoard = { scores: Array.from(result.scores), decision };
    this.#boardUs.push({ dspUs: result.dspUs, networkUs: result.networkUs });
    if (this.#boardUs.length > AVERAGED) this.#boardUs.shift();
    this.#waiting.push(result);
    if (this.#waiting.length > MOST_WAITING) {
      this.#waiting.shift();
      this.#counts.skipped++;
    }
    this.#settleWaiting();
  }

  #settleWaiting(): void {
    const still: BoardResult[] = [];
    for (const result of this.#waiting) {
      const window = this.#matcher.window(result.sequence, this.#frames);
      if (window === 'too-early') still.push(result);
      else if (window === 'lost') this.#counts.skipped++;
      else this.#compare(result, window);
    }
    this.#waiting = still.filter((result) => {
      const next = this.#matcher.next;
      // A result far ahead of the stream belongs to a counter that was restarted since.
      return next === null || sequenceDistance(result.sequence, next) < this.#matcher.capacity;
    });
  }

  #compare(result: BoardResult, window: Float32Array): void {
    const own = this.#classify(window);
    const sameScores =
      own.scores.length === result.scores.length && own.scores.every((score, index) => score === result.scores[index]);
    const sameFeatures = own.featureCrc === result.featureCrc;
    this.#counts.compared++;
    if (sameScores && sameFeatures) this.#counts.identical++;
    else
      this.difference ??= {
        sequence: result.sequence,
        board: Array.from(result.scores),
        browser: own.scores,
        boardCrc: result.featureCrc,
        browserCrc: own.featureCrc,
      };
  }

  #countWindow(): void {
    const now = this.clock();
    this.#answeredAt = [...this.#answeredAt.filter((at) => now - at < RATE_SPAN_MS), now];
  }

  #classify(window: Float32Array): { scores: number[]; featureCrc: number } {
    const started = this.clock();
    const { scores, featureCrc } = this.#runner.classify(window);
    this.#browserTook.push(this.clock() - started);
    if (this.#browserTook.length > AVERAGED) this.#browserTook.shift();
    const decided = this.#smoother.decide(scores);
    const answer = { scores: Array.from(scores), decision: decided < 0 ? null : decided };
    this.#latestBrowser = answer;
    this.#decisions.push(answer.decision);
    if (this.#decisions.length > MOST_DECISIONS) this.#decisions.shift();
    return { scores: answer.scores, featureCrc };
  }

  #show(): void {
    if (this.board !== this.#latestBoard) {
      this.board = this.#latestBoard;
      const count = Math.max(1, this.#boardUs.length);
      this.boardTimes = {
        dspUs: this.#boardUs.reduce((sum, times) => sum + times.dspUs, 0) / count,
        networkUs: this.#boardUs.reduce((sum, times) => sum + times.networkUs, 0) / count,
      };
    }
    if (this.browser !== this.#latestBrowser) {
      this.browser = this.#latestBrowser;
      this.browserMs = this.#browserTook.reduce((sum, ms) => sum + ms, 0) / Math.max(1, this.#browserTook.length);
      this.history = spells(this.#decisions);
    }
    const first = this.#answeredAt[0] ?? 0;
    const took = (this.#answeredAt.at(-1) ?? 0) - first;
    this.windowsPerSecond = took >= RATE_LEAST_MS ? ((this.#answeredAt.length - 1) * 1000) / took : null;
    this.compared = this.#counts.compared;
    this.identical = this.#counts.identical;
    this.skipped = this.#counts.skipped;
  }
}

/** Runs of equal decisions, oldest first. */
export function spells(decisions: readonly (number | null)[]): Spell[] {
  const found: { decision: number | null; windows: number }[] = [];
  for (const decision of decisions) {
    const last = found.at(-1);
    if (last && last.decision === decision) last.windows++;
    else found.push({ decision, windows: 1 });
  }
  return found;
}
