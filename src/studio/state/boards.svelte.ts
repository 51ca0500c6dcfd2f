/**
 * The boards on the bench. They live as long as the app: changing stations never drops one.
 * A `Board` is the reactive view of a session; samples bypass reactivity and go into a ring that scopes read.
 */
import type {
  BoardIdentity,
  BoardModel,
  BoardResult,
  BoardSession,
  LineStats,
  SampleBatch,
  SessionState,
} from '../../board/board';
import { LinkError, type Link, type LinkInfo } from '../../board/link';
import { findBaudRate } from '../../board/baud-search';
import { DEFAULT_BAUD_RATE, type BoardNote } from '../../board/session';
import type { LoadedRecording } from '../../signal/recording';
import type { SettingStore } from '../../store/studio-store';
import type { BoardServices } from '../services';
import { FAILURES_KEPT, failureOf, type Failure } from './board-failure';
import { SampleRing } from './sample-ring';

/** Seconds of signal that a board's ring holds: the longest span of the scope. */
export const RING_SECONDS = 30;
const RING_MAX_FRAMES = 1_000_000;
/** Rate assumed for the ring's size when a board does not tell one, Hz. */
const RING_DEFAULT_HZ = 1000;
/** Counters are shown to people: four times a second is enough. */
const COUNTER_MS = 250;

const NOTES_SETTING = 'boardNotes';
const BENCH_SETTING = 'bench';
/** The virtual board's flash: a model written to it survives a reload, as on a real board. */
const FLASH_SETTING = 'virtualBoardFlash';
/** Which models passed their self-test on which boards, and when: a board may be verified before it comes back. */
const VERIFIED_SETTING = 'verifiedModels';
/** So many proofs are kept; the oldest go first. */
const PROOFS_KEPT = 200;
/** Virtual boards on one bench at most: each is a worker. */
export const VIRTUAL_BOARDS_MOST = 4;

/** A self-test that passed. */
interface Proof {
  /** The board's serial, or the kind of port it is plugged into. */
  readonly board: string;
  readonly modelId: number;
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** What the board called itself, and how long it took for a window on average; missing in notes of older versions. */
  readonly name?: string;
  readonly averageUs?: number;
}

/** What a board took for one window of a model, features and network, measured by itself. */
export interface MeasuredTime {
  readonly name: string;
  readonly us: number;
}

/** Settings of the motion generator, as last asked for. */
export interface Motion {
  readonly gesture: string;
  /** m/s2 RMS. */
  readonly noise: number;
  readonly gravity: boolean;
  /** 1 = usual size. */
  readonly amplitude: number;
}

export class Board {
  state = $state.raw<SessionState>({ name: 'closed' });
  identity = $state.raw<BoardIdentity | null>(null);
  lineStats = $state.raw<LineStats | null>(null);
  /** Frames received and lost since the board came to the bench. */
  frames = $state(0);
  lost = $state(0);
  /** Ids of models whose self-test passed on this board. */
  verified = $state.raw<readonly number[]>([]);
  /** When the self-tests of `verified` passed, by model id, ms since the epoch. */
  verifiedAt = $state.raw<Readonly<Record<number, number>>>({});
  /** Called with models that were proved now. */
  onVerified: (modelId: number, averageUs: number) => void = () => undefined;
  /** Called when the board has told who it is. */
  onIdentified: () => void = () => undefined;
  baudRate = $state(DEFAULT_BAUD_RATE);
  /** The failure that ended the last attempt. */
  error = $state.raw<Error | null>(null);
  /** The last failures, newest last: codes and times only. */
  failures = $state.raw<readonly Failure[]>([]);
  /** The search for the baud rate, or null. */
  search = $state.raw<{ readonly rate: number; readonly index: number; readonly total: number } | null>(null);
  ring = $state.raw<SampleRing>(new SampleRing(1, 1));
  /** What the virtual board's hand does; null for boards that nobody can ask. */
  motion = $state.raw<Motion | null>(null);

  readonly #unsubscribe: (() => void)[] = [];
  #frames = 0;
  #lost = 0;
  #stopSearch: AbortController | null = null;
  readonly #timer: ReturnType<typeof setInterval>;

  constructor(
    readonly key: string,
    readonly link: Link,
    readonly session: BoardSession,
    baudRate: number,
  ) {
    this.baudRate = baudRate;
    this.state = session.state;
    const gesture = session.generator?.gestures[0];
    if (gesture !== undefined) this.motion = { gesture, noise: 0.08, gravity: true, amplitude: 1 };
    this.#takeIdentity(session.identity);
    this.#unsubscribe.push(
      session.on('state', (state) => {
        this.state = state;
        if (state.name === 'failed' || state.name === 'lost') this.#fail(state.error);
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

  get kind(): LinkInfo['kind'] {
    return this.link.info.kind;
  }

  get name(): string {
    // Virtual boards all have the same firmware, and so the same name.
    return this.kind === 'virtual' ? this.link.info.title : (this.identity?.name ?? this.link.info.title);
  }

  get streaming(): boolean {
    return this.state.name === 'streaming';
  }

  get connected(): boolean {
    return this.state.name === 'ready' || this.state.name === 'streaming' || this.state.name === 'deploying';
  }

  get connecting(): boolean {
    return this.state.name === 'opening' || this.state.name === 'identifying';
  }

  /** True when models can be written to it. */
  get hasSlots(): boolean {
    return (this.identity?.slots.length ?? 0) > 0;
  }

  /** The model that the board runs, or null. */
  get activeModel(): BoardModel | null {
    return this.identity?.slots.find((slot) => slot.active && slot.state === 'valid')?.model ?? null;
  }

  /** Connects and starts the stream. Failures end up in `error` and in the session's state; returns success. */
  async connect(): Promise<boolean> {
    this.error = null;
    try {
      await this.session.connect({ baudRate: this.baudRate });
      await this.session.startStream();
      return true;
    } catch (error) {
      this.#fail(error);
      return false;
    }
  }

  /** Tries the usual baud rates until the board is understood, and streams. Returns success; false when stopped. */
  async findBaudRate(): Promise<boolean> {
    if (this.search) return false;
    const stop = new AbortController();
    this.#stopSearch = stop;
    this.error = null;
    try {
      const { baudRate } = await findBaudRate(this.session, this.baudRate, {
        signal: stop.signal,
        onTry: (rate, index, total) => (this.search = { rate, index, total }),
      });
      this.baudRate = baudRate;
      await this.session.startStream();
      return true;
    } catch (error) {
      this.#fail(error);
      return false;
    } finally {
      this.search = null;
    }
  }

  stopSearch(): void {
    this.#stopSearch?.abort();
  }

  /** Takes the board from another tab and connects. Failures end up in `error`. */
  async takeOver(): Promise<boolean> {
    try {
      await this.link.takeOver?.();
    } catch (error) {
      this.#fail(error);
      return false;
    }
    return this.connect();
  }

  #fail(error: unknown): void {
    this.error = error instanceof Error ? error : new Error(String(error));
    const failure = failureOf(error, Date.now());
    const last = this.failures.at(-1);
    // The state and the promise tell of the same failure.
    if (last?.code === failure.code && failure.at - last.at < 1000) return;
    this.failures = [...this.failures, failure].slice(-FAILURES_KEPT);
  }

  setMotion(changes: Partial<Motion>): void {
    if (!this.motion) return;
    this.motion = { ...this.motion, ...changes };
    this.session.generator?.set(changes);
  }

  onResult(listener: (result: BoardResult) => void): () => void {
    return this.session.on('result', listener);
  }

  onSamples(listener: (batch: SampleBatch) => void): () => void {
    return this.session.on('samples', listener);
  }

  /** @param averageUs what the board took for a window, microseconds; 0 when it has no clock. */
  markVerified(modelId: number, averageUs: number): void {
    this.takeProof(modelId, Date.now());
    this.onVerified(modelId, averageUs);
  }

  /** Takes note of a self-test that passed at `at`. */
  takeProof(modelId: number, at: number): void {
    if (!this.verified.includes(modelId)) this.verified = [...this.verified, modelId];
    this.verifiedAt = { ...this.verifiedAt, [modelId]: at };
  }

  /** Takes down the listeners; the session itself is closed by the bench. */
  dispose(): void {
    clearInterval(this.#timer);
    for (const off of this.#unsubscribe.splice(0)) off();
  }

  #takeIdentity(identity: BoardIdentity | null): void {
    const told = identity !== null && this.identity?.serial !== identity.serial;
    this.identity = identity;
    if (told) this.onIdentified();
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
}

/** What a board is remembered by: its kind on this machine, not the port it is plugged into. */
function noteKey({ kind, usbVendorId, usbProductId, title }: LinkInfo): string {
  return usbVendorId === null ? `${kind}:${title}` : `usb:${usbVendorId}:${usbProductId ?? 0}`;
}

export class Boards {
  list = $state.raw<readonly Board[]>([]);
  /** Allowed before, plugged in, and not on the bench. */
  remembered = $state.raw<readonly Link[]>([]);
  #selectedKey = $state<string | null>(null);
  #next = 1;
  #notes: Record<string, BoardNote> = {};
  #proofs = $state.raw<readonly Proof[]>([]);
  /** Why the chooser gave no board, last time it was asked. */
  chooserError = $state.raw<LinkError | null>(null);
  /** Failures of the chooser, newest last. */
  failures = $state.raw<readonly Failure[]>([]);

  /** The board that recording, deploying and the live view use. */
  readonly selected = $derived<Board | null>(
    this.list.find((board) => board.key === this.#selectedKey) ?? this.list[0] ?? null,
  );

  constructor(
    private readonly services: BoardServices,
    private readonly store: SettingStore,
  ) {}

  get support(): BoardServices['support'] {
    return this.services.support;
  }

  /** Reads the notes, looks for boards that are plugged in, and puts the virtual board on an empty bench. */
  async open(): Promise<void> {
    this.#notes = (await this.store.getSetting<Record<string, BoardNote>>(NOTES_SETTING)) ?? {};
    this.#proofs = (await this.store.getSetting<readonly Proof[]>(VERIFIED_SETTING)) ?? [];
    this.services.onPlugged(() => void this.refreshRemembered());
    await this.refreshRemembered();
    // A newcomer sees motion at once; who works with a real board is left alone.
    const bench = await this.store.getSetting<'virtual' | 'other'>(BENCH_SETTING);
    if (bench !== 'other') void this.addVirtual().catch(() => undefined);
  }

  async refreshRemembered(): Promise<void> {
    const links = await this.services.rememberedLinks().catch(() => []);
    this.remembered = links.filter((link) => !this.list.some((board) => board.link === link));
  }

  select(board: Board): void {
    this.#selectedKey = board.key;
  }

  /** Asks for a USB board. Null when the chooser was closed without choosing. */
  async choose(): Promise<Board | null> {
    this.chooserError = null;
    try {
      return await this.add(await this.services.chooseLink());
    } catch (error) {
      this.failures = [...this.failures, failureOf(error, Date.now())].slice(-FAILURES_KEPT);
      if (error instanceof LinkError) this.chooserError = error;
      if (error instanceof LinkError && error.code === 'chooser-cancelled') return null;
      throw error;
    }
  }

  async addVirtual(): Promise<Board> {
    const there = this.list.find((board) => board.kind === 'virtual');
    if (there) {
      this.select(there);
      if (!there.connected && !there.connecting) await there.connect();
      return there;
    }
    return this.add(
      await this.services.virtualLink({
        load: async () => (await this.store.getSetting<Uint8Array>(FLASH_SETTING)) ?? null,
        save: (image) => this.store.putSetting(FLASH_SETTING, image),
      }),
    );
  }

  /** One more virtual board, with a sensor that moves differently and a flash of its own. */
  async addAnotherVirtual(): Promise<Board | null> {
    const taken = this.list.flatMap((board) => (board.kind === 'virtual' ? [board.link.info.title] : []));
    for (let number = 2; number <= VIRTUAL_BOARDS_MOST; number++) {
      const title = `Virtual board ${number}`;
      if (taken.includes(title)) continue;
      const flash = `${FLASH_SETTING}${number}`;
      return this.add(
        await this.services.virtualLink(
          {
            load: async () => (await this.store.getSetting<Uint8Array>(flash)) ?? null,
            save: (image) => this.store.putSetting(flash, image),
          },
          { serial: `5649525455414c3${number}`, title, seed: number },
        ),
      );
    }
    return null;
  }

  get shippedModels(): readonly number[] {
    return this.services.shippedModels;
  }

  get virtualBoards(): number {
    return this.list.filter((board) => board.kind === 'virtual').length;
  }

  async openElsewhere(): Promise<readonly string[]> {
    return this.services.openElsewhere().catch(() => []);
  }

  async addReplay(loaded: LoadedRecording): Promise<Board> {
    return this.add(this.services.replayLink(loaded, { loop: true, speed: 1 }));
  }

  /** Puts the board behind `link` on the bench, selects it and connects. */
  async add(link: Link): Promise<Board> {
    const known = this.list.find((board) => board.link === link);
    if (known) {
      this.select(known);
      if (!known.connected && !known.connecting) await known.connect();
      return known;
    }
    const key = noteKey(link.info);
    const note = this.#notes[key];
    const session = this.services.session(link, note, (changed) => {
      this.#notes = { ...this.#notes, [key]: changed };
      void this.store.putSetting(NOTES_SETTING, this.#notes);
    });
    const board = new Board(`board-${this.#next++}`, link, session, note?.baudRate ?? DEFAULT_BAUD_RATE);
    const proofKey = (): string => board.identity?.serial ?? key;
    board.onVerified = (modelId, averageUs) =>
      void this.#keepProof({ board: proofKey(), modelId, at: Date.now(), name: board.name, averageUs });
    board.onIdentified = () => {
      for (const proof of this.#proofs) if (proof.board === proofKey()) board.takeProof(proof.modelId, proof.at);
    };
    this.list = [...this.list, board];
    this.#selectedKey = board.key;
    this.remembered = this.remembered.filter((other) => other !== link);
    void this.#keepBench();
    await board.connect();
    return board;
  }

  async remove(board: Board): Promise<void> {
    this.list = this.list.filter((other) => other !== board);
    board.dispose();
    await this.services.closeSession(board.session);
    await this.#keepBench();
    await this.refreshRemembered();
  }

  /** Takes the board away and gives its permission back to the browser. */
  async forget(board: Board): Promise<void> {
    await this.remove(board);
    await this.services.forgetLink(board.link);
    await this.refreshRemembered();
  }

  /** What boards took for a window of a model in their last self-test, one entry per name. */
  measuredTimes(isModel: (id: number) => boolean): readonly MeasuredTime[] {
    const times: Record<string, MeasuredTime> = {};
    for (const { modelId: id, name, averageUs } of this.#proofs) {
      if (isModel(id) && name !== undefined && averageUs !== undefined && averageUs > 0)
        times[name] = { name, us: averageUs };
    }
    return Object.values(times);
  }

  async #keepProof(proof: Proof): Promise<void> {
    const others = this.#proofs.filter(({ board, modelId }) => board !== proof.board || modelId !== proof.modelId);
    this.#proofs = [...others, proof].slice(-PROOFS_KEPT);
    await this.store.putSetting(VERIFIED_SETTING, this.#proofs);
  }

  async #keepBench(): Promise<void> {
    const virtual = this.list.some((board) => board.kind === 'virtual');
    await this.store.putSetting(BENCH_SETTING, virtual ? 'virtual' : 'other');
  }
}
