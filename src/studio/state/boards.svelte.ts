/**
 * The boards on the bench. They live as long as the app: changing stations never drops one.
 * A `Board` is the reactive view of a session; samples bypass reactivity and go into a ring that scopes read.
 */
import type {
  BoardError,
  BoardIdentity,
  BoardResult,
  BoardSession,
  LineStats,
  SampleBatch,
  SessionState,
} from '../../board/board';
import { SampleRing } from './sample-ring';

/** Seconds of signal that a board's ring holds: the longest span of the scope. */
export const RING_SECONDS = 30;
const RING_MAX_FRAMES = 1_000_000;
/** Rate assumed for the ring's size when a board does not tell one, Hz. */
const RING_DEFAULT_HZ = 1000;
/** Counters are shown to people: four times a second is enough. */
const COUNTER_MS = 250;

export const DEFAULT_BAUD_RATE = 115_200;

export class Board {
  state = $state.raw<SessionState>({ name: 'closed' });
  identity = $state.raw<BoardIdentity | null>(null);
  lineStats = $state.raw<LineStats | null>(null);
  /** Frames received and lost since connecting. */
  frames = $state(0);
  lost = $state(0);
  /** Model ids whose self-test passed on this board in this session. */
  verified = $state.raw<ReadonlySet<number>>(new Set());
  baudRate = $state(DEFAULT_BAUD_RATE);
  /** The failure that ended the last connection attempt. */
  error = $state.raw<Error | null>(null);
  ring = $state.raw<SampleRing>(new SampleRing(1, 1));

  readonly #unsubscribe: (() => void)[] = [];
  #frames = 0;
  #lost = 0;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(
    readonly key: string,
    readonly session: BoardSession,
    /** Title of what is replayed, for replay boards. */
    readonly note: string | null = null,
  ) {
    this.state = session.state;
    this.#takeIdentity(session.identity);
    this.#unsubscribe.push(
      session.on('state', (state) => {
        this.state = state;
        if (state.name === 'failed' || state.name === 'lost') this.error = state.error;
        else if (state.name === 'ready' || state.name === 'streaming') this.error = null;
      }),
      session.on('identity', (identity) => this.#takeIdentity(identity)),
      session.on('samples', (batch) => this.#takeSamples(batch)),
      session.on('lineStats', (stats) => (this.lineStats = stats)),
    );
    this.#timer = setInterval(() => {
      if (this.frames !== this.#frames) this.frames = this.#frames;
      if (this.lost !== this.#lost) this.lost = this.#lost;
    }, COUNTER_MS);
  }

  get kind(): BoardSession['link']['kind'] {
    return this.session.link.kind;
  }

  get name(): string {
    return this.identity?.name ?? this.session.link.title;
  }

  get streaming(): boolean {
    return this.state.name === 'streaming';
  }

  get connected(): boolean {
    return this.state.name === 'ready' || this.state.name === 'streaming' || this.state.name === 'deploying';
  }

  /** True when models can be written to it. */
  get hasSlots(): boolean {
    return (this.identity?.slots.length ?? 0) > 0;
  }

  /** The model that the board runs, or null. */
  get activeModel() {
    return this.identity?.slots.find((slot) => slot.active && slot.state === 'valid')?.model ?? null;
  }

  /** Connects and starts the stream. Failures end up in `error` and in the session's state. */
  async connect(): Promise<boolean> {
    this.error = null;
    try {
      await this.session.connect({ baudRate: this.baudRate });
      await this.session.startStream();
      return true;
    } catch (error) {
      this.error = error as BoardError;
      return false;
    }
  }

  async disconnect(): Promise<void> {
    await this.session.disconnect();
  }

  markVerified(modelId: number): void {
    this.verified = new Set([...this.verified, modelId]);
  }

  /** Takes down listeners; call after `disconnect`. */
  dispose(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    for (const off of this.#unsubscribe.splice(0)) off();
  }

  #takeIdentity(identity: BoardIdentity | null): void {
    this.identity = identity;
    if (!identity || identity.channels.length === 0) return;
    const rate = identity.rateHz > 0 ? identity.rateHz : RING_DEFAULT_HZ;
    const capacity = Math.min(RING_MAX_FRAMES, Math.ceil(rate * RING_SECONDS));
    // An estimated rate wanders a little: keep the ring unless it is too small or the channels changed.
    if (this.ring.channels !== identity.channels.length || this.ring.capacity < capacity * 0.8)
      this.ring = new SampleRing(identity.channels.length, capacity);
  }

  #takeSamples(batch: SampleBatch): void {
    this.#frames += batch.frames;
    this.#lost += batch.lostBefore;
    if (batch.samples.length === batch.frames * this.ring.channels) this.ring.push(batch.samples, batch.lostBefore);
  }

  onResult(listener: (result: BoardResult) => void): () => void {
    return this.session.on('result', listener);
  }

  onSamples(listener: (batch: SampleBatch) => void): () => void {
    return this.session.on('samples', listener);
  }
}

export class Boards {
  list = $state.raw<readonly Board[]>([]);
  #selectedKey = $state<string | null>(null);
  #next = 1;

  /** The board that recording, deploying and the live view use. */
  readonly selected = $derived<Board | null>(
    this.list.find((board) => board.key === this.#selectedKey) ?? this.list[0] ?? null,
  );

  select(board: Board): void {
    this.#selectedKey = board.key;
  }

  /** Puts a session on the bench and selects it. */
  add(session: BoardSession, note: string | null = null): Board {
    const known = this.list.find((board) => board.session === session);
    if (known) return known;
    const board = new Board(`board-${this.#next++}`, session, note);
    this.list = [...this.list, board];
    this.#selectedKey = board.key;
    return board;
  }

  async remove(board: Board): Promise<void> {
    await board.disconnect();
    board.dispose();
    this.list = this.list.filter((other) => other !== board);
  }
}
