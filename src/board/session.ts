/**
 * A session with one board: carries out what the state machine decides, over a link and the dialects. Lives in the app
 * and not in a page; listeners stay when the cable is pulled and the board comes back.
 */
import { RateEstimator } from '../signal/rate';
import type { Channel } from '../signal/recording';
import { BoardError } from './board';
import type { BoardIdentity, BoardSession, LineStats, SampleBatch, SessionEvents, SessionState } from './board';
import { createByteEvidence } from './byte-evidence';
import { deployPack, readPack } from './deploy';
import { createLinesDialect } from './lines-dialect';
import type { LineReading } from './lines-dialect';
import { LinkError } from './link';
import type { Link } from './link';
import { toBoardError } from './link-failure';
import { openMicroPythonFiles } from './micropython-files';
import { createRawRepl } from './raw-repl';
import { cancelled, createMoteDialect, plainChannels } from './mote-dialect';
import type { HelloReply } from './mote-messages';
import { holdsLink, INITIAL_STATE, publicState, step } from './session-machine';
import type { MachineEffect, MachineEvent, MachineState } from './session-machine';
import { asError, wait, withTimeout } from './timing';
import type { Cancel, Timing } from './timing';

export const DEFAULT_BAUD_RATE = 115200;
/** A port that does not open by then is held by something. */
export const OPEN_TIMEOUT_MS = 10_000;
/** Listened before the first probe: boards that print are known by then and are sent nothing. */
export const LISTEN_MS = 400;
/** Boards that reset when opened spend up to two seconds in their boot loader, some boot for several. */
export const IDENTIFY_TIMEOUT_MS = 7000;
/** What MicroPython prints when it is asked for a prompt, or what our questions made of its prompt. */
const MICROPYTHON_PROMPT = />>> |raw REPL; CTRL-B|paste mode; /;
/** Enter and Ctrl-B: a fresh prompt from MicroPython, nothing for anything else. */
const ASK_PROMPT = Uint8Array.of(0x0d, 0x02);
const PROMPT_WAIT_MS = 250;
const HEARD_BYTES = 512;
/** Readings that agree when time is up: enough for a sketch that prints once in a few seconds. */
const SLOW_BOARD_LINES = 2;
/** While streaming, so long without samples is a stalled board. */
export const STREAM_TIMEOUT_MS = 3000;
/** A slow sketch is stalled after so many of its own periods. */
const STALLED_PERIODS = 5;
const MONITOR_MS = 250;
/** A board that was reset by its button keeps the link and forgets the stream: asked again this often. */
export const REVIVE_MS = 2000;
/** A board that does not confirm the end of streaming is left without. */
const FAREWELL_MS = 500;
/** Lines and text are told at most this often. */
const STATS_MS = 500;
/** Readings are listened to for so long before their rate is believed. */
const RATE_SETTLE_MS = 900;
/** An estimated rate is told anew when it moved by more than this. */
const RATE_STEP = 0.01;

/** What a person settled about a board that cannot tell: kept by the app, given back at the next session. */
export interface BoardNote {
  readonly baudRate: number;
  /** Rate set by hand, Hz, or null. */
  readonly rateHz: number | null;
  /** Channels named by hand, or null. */
  readonly channels: readonly Channel[] | null;
}

export interface SessionEnvironment extends Timing {
  /** What is remembered of this board. */
  readonly note?: BoardNote;
  /** Called when the note changes. */
  readonly storeNote?: (note: BoardNote) => void;
}

/** A session over `link`, closed until `connect`. */
export function createSession(link: Link, environment: SessionEnvironment): BoardSession {
  const { clock, timers } = environment;
  const listeners: { [K in keyof SessionEvents]: Set<SessionEvents[K]> } = {
    state: new Set(),
    identity: new Set(),
    samples: new Set(),
    result: new Set(),
    lineStats: new Set(),
  };

  const events: MachineEvent[] = [];
  let dispatching = false;
  let machine: MachineState = INITIAL_STATE;
  let shown: SessionState = publicState(machine);
  let identity: BoardIdentity | null = null;
  let note: BoardNote = environment.note ?? { baudRate: DEFAULT_BAUD_RATE, rateHz: null, channels: null };

  /** Grows with every opening and closing: what belongs to an older one is too late. */
  let epoch = 0;
  let identification: AbortController | null = null;
  let connecting: Connecting | null = null;
  let unwatch: Cancel = () => undefined;
  let cancelRetry: Cancel = () => undefined;
  let stopMonitor: Cancel = () => undefined;

  let receivedBytes = 0;
  /** What arrived while nobody knew what it means. */
  const evidence = createByteEvidence();
  let readingsSinceOpen = 0;
  let firstReadingAt: number | null = null;
  let operation: string | null = null;
  let wantedRateHz = 0;
  let wantsResults = false;
  let reviving = false;
  let lastSampleAt = 0;
  /** End of the samples before the cable was pulled, ms; null when there is no gap to account for. */
  let gapSince: number | null = null;
  let toldStats: LineStats | null = null;
  let toldStatsAt = -Infinity;
  let onLinesKnown: () => void = () => undefined;

  /** The newest bytes as text while the board is being identified. */
  let heard = '';
  const repl = createRawRepl({ clock, timers }, (bytes) => link.write(bytes));
  /** While programs run on a MicroPython board, its bytes are theirs. */
  let replInUse = false;

  const rate = new RateEstimator();
  const lines = createLinesDialect({
    onChannels: () => {
      if (identity?.dialect === 'lines' && machine.name !== 'identifying') tellIdentity(linesIdentity());
    },
    onReadings: takeReadings,
  });
  const mote = createMoteDialect(
    { clock, timers },
    {
      send: (bytes) => link.write(bytes),
      onSamples: deliver,
      onResult: (result) => emit('result', result),
    },
  );

  function emit<K extends keyof SessionEvents>(event: K, value: Parameters<SessionEvents[K]>[0]): void {
    for (const listener of [...listeners[event]]) (listener as (value: unknown) => void)(value);
  }

  /** Events that come up while one is dealt with wait for their turn, so that listeners see every state in order. */
  function dispatch(event: MachineEvent): void {
    events.push(event);
    if (dispatching) return;
    dispatching = true;
    try {
      for (let next = events.shift(); next; next = events.shift()) {
        const { state, effects } = step(machine, next, link.onReturn === undefined);
        if (state !== machine) {
          machine = state;
          shown = publicState(state);
          emit('state', shown);
        }
        effects.forEach(perform);
      }
    } finally {
      dispatching = false;
    }
  }

  function perform(effect: MachineEffect): void {
    switch (effect.type) {
      case 'open':
        void open();
        return;
      case 'identify':
        void identify();
        return;
      case 'close-link':
        epoch++;
        identification?.abort();
        stopMonitor();
        operation = null;
        if (machine.name === 'lost' && machine.resume.streaming) gapSince ??= lastSampleAt;
        void link.close();
        return;
      case 'fail-requests':
        mote.failRequests(effect.error);
        repl.fail(effect.error);
        return;
      case 'watch-return':
        unwatch();
        unwatch = link.onReturn?.(() => dispatch({ type: 'returned' })) ?? (() => undefined);
        return;
      case 'unwatch-return':
        unwatch();
        unwatch = () => undefined;
        return;
      case 'schedule-retry':
        cancelRetry();
        cancelRetry = timers.after(effect.ms, () => dispatch({ type: 'retry' }));
        return;
      case 'cancel-retry':
        cancelRetry();
        return;
      case 'connected':
        stopMonitor = timers.every(MONITOR_MS, monitor);
        if (identity) connecting?.resolve(identity);
        connecting = null;
        return;
      case 'connect-failed':
        connecting?.reject(effect.error);
        connecting = null;
        return;
      case 'resume-stream':
        void resumeStream();
        return;
    }
  }

  // --- opening and finding out what the board speaks ---

  async function open(): Promise<void> {
    const mine = ++epoch;
    receivedBytes = 0;
    evidence.restart();
    readingsSinceOpen = 0;
    lines.restart();
    rate.reset();
    firstReadingAt = null;
    mote.restart();
    repl.restart();
    heard = '';
    try {
      const opened = link.open(
        { baudRate: note.baudRate },
        {
          onBytes: (bytes, at) => {
            if (mine === epoch) takeBytes(bytes, at);
          },
          onLost: (error) => {
            if (mine === epoch) dispatch({ type: 'link-lost', error: toBoardError(error) });
          },
        },
      );
      await withTimeout(timers, OPEN_TIMEOUT_MS, opened, () => {
        const seconds = OPEN_TIMEOUT_MS / 1000;
        return new LinkError(
          'open-failed',
          `The port did not open within ${seconds} s. Pull the cable and plug it in again.`,
        );
      });
      if (mine === epoch) dispatch({ type: 'opened' });
      else if (machine.name === 'closed') void link.close();
    } catch (error) {
      if (mine === epoch) dispatch({ type: 'open-failed', error: toBoardError(asError(error)) });
    }
  }

  async function identify(): Promise<void> {
    const mine = epoch;
    const control = new AbortController();
    identification = control;
    const until = clock() + IDENTIFY_TIMEOUT_MS;
    const prints = (): boolean => readingsSinceOpen > 0;
    onLinesKnown = () => control.abort();
    try {
      let hello: HelloReply | null = null;
      await wait(timers, LISTEN_MS, control.signal).catch(() => undefined);
      while (mine === epoch && !prints() && !hello && clock() < until) {
        hello = await mote.hello(control.signal).catch((error: unknown) => {
          if (error instanceof BoardError && (error.code === 'timeout-hello' || error.code === 'cancelled'))
            return null;
          throw error;
        });
        if (hello || prints()) break;
        await link.write(ASK_PROMPT);
        await wait(timers, PROMPT_WAIT_MS);
        if (mine !== epoch || MICROPYTHON_PROMPT.test(heard)) break;
      }
      if (mine !== epoch) return;
      if (!hello && !prints() && MICROPYTHON_PROMPT.test(heard)) {
        const { port } = await useRepl(() => openMicroPythonFiles(repl));
        if (mine !== epoch) return;
        tellIdentity({
          dialect: 'micropython',
          name: link.info.title,
          firmware: port.description,
          serial: null,
          channels: [],
          rateHz: 0,
          rateEstimated: false,
          modelRamBytes: port.freeMemory,
          slots: [],
        });
      } else if (hello) {
        const { channels } = await mote.describe(hello);
        const slots = await mote.slots();
        if (mine !== epoch) return;
        const previous = identity?.serial;
        if (previous && hello.serial && previous !== hello.serial && isReconnect()) {
          const message = `Another board (${hello.name}) came back at this port. Connect it as a board of its own.`;
          throw new BoardError('refused', message);
        }
        tellIdentity({
          dialect: 'mote',
          name: hello.name,
          firmware: hello.firmware,
          serial: hello.serial || null,
          channels: plainChannels(channels),
          rateHz: hello.rateHz,
          rateEstimated: false,
          ratesHz: hello.ratesHz,
          modelRamBytes: hello.modelRam,
          slots,
        });
      } else if (prints() || (!lines.channels && lines.settleNow(SLOW_BOARD_LINES))) {
        // The rate is wanted too: it shows after about a second of readings.
        while (mine === epoch && settledRate(clock()) === null && clock() < until) await wait(timers, MONITOR_MS);
        if (mine !== epoch) return;
        tellIdentity(linesIdentity());
      } else {
        throw unknownBoard();
      }
      dispatch({ type: 'identified' });
      // Streaming takes its results up again by itself; a board that only classified needs to be told.
      if (wantsResults && hello && machine.name === 'ready') await mote.run(true).catch(() => undefined);
    } catch (error) {
      if (mine === epoch) dispatch({ type: 'identify-failed', error: toBoardError(asError(error)) });
    } finally {
      onLinesKnown = () => undefined;
      if (identification === control) identification = null;
    }
  }

  async function useRepl<T>(work: () => Promise<T>): Promise<T> {
    replInUse = true;
    try {
      return await work();
    } finally {
      replInUse = false;
    }
  }

  function isReconnect(): boolean {
    return machine.name === 'identifying' && machine.resume !== null;
  }

  function unknownBoard(): BoardError {
    if (receivedBytes === 0) {
      return new BoardError(
        'silent',
        `${link.info.title} is open but sends nothing. Check that its program prints readings at ${note.baudRate} baud, or write Mote’s firmware to it; then press its reset button.`,
      );
    }
    if (evidence.verdict === 'wrong-rate') {
      return new BoardError(
        'wrong-baud',
        `${link.info.title} sends bytes that make no sense at ${note.baudRate} baud but look like another rate. Choose the rate that its program uses, or let the studio try the usual ones.`,
      );
    }
    const text = lines.stats.lastText;
    return new BoardError(
      'garbage',
      text !== null && /^[\p{L}\p{N}\p{P}\p{S}\p{Z}]+$/u.test(text)
        ? `${link.info.title} sends text but no readings (“${text.slice(0, 60)}”). It should print numbers, one reading per line.`
        : `${link.info.title} sends bytes that make no sense at ${note.baudRate} baud. Choose the rate that its program uses.`,
    );
  }

  function linesIdentity(): BoardIdentity {
    const channels = lines.channels ?? [];
    const named = note.channels?.length === channels.length ? note.channels : channels;
    return {
      dialect: 'lines',
      name: link.info.title,
      firmware: '',
      serial: null,
      channels: named,
      rateHz: note.rateHz ?? rate.estimate?.rateHz ?? identity?.rateHz ?? 0,
      rateEstimated: true,
      modelRamBytes: null,
      slots: [],
    };
  }

  /** The estimated rate, or null while it may still be a clump of deliveries. */
  function settledRate(now: number): number | null {
    if (firstReadingAt === null || now - firstReadingAt < RATE_SETTLE_MS) return null;
    return rate.estimate?.rateHz ?? null;
  }

  function tellIdentity(next: BoardIdentity): void {
    identity = next;
    emit('identity', next);
  }

  // --- bytes in ---

  function takeBytes(bytes: Uint8Array, at: number): void {
    receivedBytes += bytes.length;
    switch (machine.name) {
      case 'closed':
      case 'lost':
      case 'failed':
      case 'programming':
        return;
      case 'opening':
      case 'identifying':
        if (replInUse) {
          repl.push(bytes);
          return;
        }
        heard = (heard + String.fromCharCode(...bytes.subarray(-HEARD_BYTES))).slice(-HEARD_BYTES);
        evidence.push(bytes);
        mote.push(bytes, at);
        lines.push(bytes, at);
        return;
      case 'ready':
      case 'streaming':
      case 'stalled':
      case 'deploying':
        if (replInUse) repl.push(bytes);
        else if (identity?.dialect === 'mote') mote.push(bytes, at);
        else {
          lines.push(bytes, at);
          tellStats(at);
        }
        return;
    }
  }

  function tellStats(at: number): void {
    const stats = lines.stats;
    if (at - toldStatsAt < STATS_MS || stats.lines === toldStats?.lines) return;
    toldStats = stats;
    toldStatsAt = at;
    emit('lineStats', stats);
  }

  function takeReadings(readings: readonly LineReading[]): void {
    const last = readings.at(-1);
    const width = readings[0]?.values.length ?? 0;
    if (!last || width === 0) return;
    // Readings that were held back until their shape was known have times of their own.
    for (const { at } of readings) rate.add(readingsSinceOpen++, at);
    firstReadingAt ??= readings[0]?.at ?? last.at;
    onLinesKnown();
    const hz = settledRate(last.at);
    // A MicroPython board whose main.py started to print is a board that prints numbers.
    if (identity?.dialect === 'micropython' && machine.name === 'ready') {
      tellIdentity(linesIdentity());
      dispatch({ type: 'stream-started' });
    }
    if (identity?.dialect === 'lines' && note.rateHz === null && hz !== null) {
      if (Math.abs(hz - identity.rateHz) > RATE_STEP * hz) tellIdentity(linesIdentity());
    }
    const samples = new Float32Array(readings.length * width);
    readings.forEach((reading, frame) => samples.set(reading.values, frame * width));
    deliver({ samples, frames: readings.length, sequence: null, lostBefore: 0, boardTimeUs: null, arrivedAt: last.at });
  }

  function deliver(batch: SampleBatch): void {
    if (machine.name === 'stalled') dispatch({ type: 'stream-heard' });
    if (machine.name !== 'streaming') return;
    lastSampleAt = batch.arrivedAt;
    if (gapSince === null) {
      emit('samples', batch);
      return;
    }
    // While the cable was out nobody counted: the best answer is the time that passed, at the board's rate.
    const away = Math.max(0, batch.arrivedAt - gapSince) / 1000;
    const lostBefore = Math.max(1, Math.round(away * (identity?.rateHz ?? 0)) - batch.frames);
    gapSince = null;
    emit('samples', { ...batch, lostBefore });
  }

  // --- streaming ---

  function monitor(): void {
    if (machine.name !== 'streaming' && machine.name !== 'stalled') return;
    const quietMs = clock() - lastSampleAt;
    const periodMs = identity && identity.rateHz > 0 ? 1000 / identity.rateHz : 0;
    if (quietMs < Math.max(STREAM_TIMEOUT_MS, STALLED_PERIODS * periodMs)) return;
    if (machine.name === 'streaming') {
      const seconds = Math.round(quietMs / 1000);
      gapSince ??= lastSampleAt;
      dispatch({
        type: 'stream-quiet',
        error: new BoardError(
          'timeout-stream',
          `No samples for ${seconds} s. Streaming goes on as soon as the board sends again; press its reset button if it does not.`,
        ),
      });
    }
    if (identity?.dialect === 'mote' && !reviving) void revive();
  }

  /** A board that restarted behind its USB chip waits to be asked again. */
  async function revive(): Promise<void> {
    reviving = true;
    const mine = epoch;
    try {
      await mote.hello();
      await mote.startStream(wantedRateHz);
      if (wantsResults) await mote.run(true);
    } catch {
      // Still silent: the next round tries again.
      if (mine === epoch) await wait(timers, REVIVE_MS);
    } finally {
      reviving = false;
    }
  }

  async function resumeStream(): Promise<void> {
    const mine = epoch;
    try {
      await beginStream();
      if (wantsResults && identity?.dialect === 'mote') await mote.run(true);
    } catch (error) {
      if (mine !== epoch) return;
      dispatch({ type: 'stream-started' });
      dispatch({ type: 'stream-quiet', error: toBoardError(asError(error)) });
    }
  }

  async function beginStream(): Promise<void> {
    const mine = epoch;
    lastSampleAt = clock();
    if (identity?.dialect === 'mote') {
      // Samples may arrive in the same chunk as the reply, before this function goes on.
      dispatch({ type: 'stream-started' });
      try {
        const rateHz = await mote.startStream(wantedRateHz);
        if (mine === epoch && rateHz !== identity.rateHz) tellIdentity({ ...identity, rateHz });
      } catch (error) {
        if (mine === epoch) dispatch({ type: 'stream-stopped' });
        throw error;
      }
    } else dispatch({ type: 'stream-started' });
  }

  // --- what callers ask for ---

  function requireOpen(): BoardIdentity {
    switch (machine.name) {
      case 'ready':
      case 'streaming':
      case 'deploying':
        if (identity) return identity;
        throw new BoardError('disconnected', 'The board is not connected. Connect it first.');
      case 'stalled':
      case 'lost':
      case 'failed':
        throw machine.error;
      case 'programming':
        throw programming();
      case 'closed':
      case 'opening':
      case 'identifying':
        throw new BoardError('disconnected', 'The board is not connected. Connect it first.');
    }
  }

  /** Runs one thing at a time on a board that speaks `mote`. */
  async function exclusively<T>(what: string, run: (identity: BoardIdentity) => Promise<T>): Promise<T> {
    const board = requireOpen();
    if (board.dialect !== 'mote') {
      throw new BoardError(
        'not-supported',
        `${board.name} only prints readings; ${what} needs Mote’s firmware on the board.`,
      );
    }
    if (operation) {
      throw new BoardError('busy', `The board is busy (${operation}). Wait until it is done and try again.`);
    }
    const mine = epoch;
    operation = what;
    try {
      return await run(board);
    } finally {
      if (mine === epoch) operation = null;
    }
  }

  async function refreshSlots(): Promise<void> {
    const slots = await mote.slots();
    if (identity) tellIdentity({ ...identity, slots });
  }

  function changeNote(changes: Partial<BoardNote>): void {
    note = { ...note, ...changes };
    environment.storeNote?.(note);
  }

  return {
    link: link.info,
    ...(link.generator ? { generator: link.generator } : {}),
    get state() {
      return shown;
    },
    get identity() {
      return identity;
    },

    on(event, listener) {
      listeners[event].add(listener);
      return () => listeners[event].delete(listener);
    },

    connect(options = {}) {
      const { baudRate, signal } = options;
      if (signal?.aborted) return Promise.reject(cancelled(signal));
      const otherBaudRate = baudRate !== undefined && baudRate !== note.baudRate;
      if (machine.name === 'programming') return Promise.reject(programming());
      if (machine.name === 'deploying' && otherBaudRate) {
        return Promise.reject(
          new BoardError('busy', 'A model is being written. Change the baud rate when that is done.'),
        );
      }
      if (machine.name === 'ready' || machine.name === 'streaming' || machine.name === 'deploying') {
        if (identity && !otherBaudRate) return Promise.resolve(identity);
      }
      if (!connecting) {
        connecting = promiseOfIdentity();
        if (baudRate !== undefined && otherBaudRate) changeNote({ baudRate });
        // A stalled board, or one at another rate, is connected anew from the start.
        if (holdsLink(machine)) dispatch({ type: 'disconnect' });
        dispatch({ type: 'connect' });
      }
      const { promise } = connecting;
      if (!signal) return promise;
      const mine = connecting;
      const onAbort = (): void => {
        if (connecting !== mine) return;
        connecting = null;
        dispatch({ type: 'disconnect' });
        mine.reject(new BoardError('cancelled', 'Connecting was cancelled.', { cause: signal.reason }));
      };
      signal.addEventListener('abort', onAbort, { once: true });
      return promise.finally(() => signal.removeEventListener('abort', onAbort));
    },

    async startStream(options = {}) {
      const board = requireOpen();
      if (machine.name === 'deploying') {
        throw new BoardError('busy', 'A model is being written. Streaming can start when that is done.');
      }
      // A prompt streams nothing; when a program starts to print, the stream starts by itself.
      if (board.dialect === 'micropython') return;
      const offered = board.ratesHz;
      const asked = options.rateHz;
      if (board.dialect === 'mote') {
        wantedRateHz = asked === undefined || !offered ? 0 : nearest(offered, asked);
        if (machine.name === 'streaming' && asked === undefined) return;
      } else if (asked !== undefined) this.setRate(asked);
      if (machine.name === 'ready') gapSince = null;
      await beginStream();
    },

    async stopStream() {
      gapSince = null;
      if (machine.name === 'lost') {
        machine = { ...machine, resume: { streaming: false } };
        return;
      }
      if (machine.name !== 'streaming' && machine.name !== 'stalled') return;
      const speaksMote = identity?.dialect === 'mote';
      if (speaksMote && machine.name === 'streaming') await mote.stopStream();
      dispatch({ type: 'stream-stopped' });
    },

    setRate(rateHz) {
      if (!(rateHz > 0 && rateHz <= 1_000_000)) {
        throw new BoardError('refused', `A rate of ${rateHz} Hz is not possible. Give a number above 0.`);
      }
      changeNote({ rateHz });
      if (identity?.dialect === 'lines') tellIdentity({ ...identity, rateHz });
    },

    setChannels(channels) {
      if (identity?.dialect !== 'lines' || channels.length !== identity.channels.length) {
        throw new BoardError('refused', 'These names do not fit the channels that the board sends.');
      }
      changeNote({ channels });
      tellIdentity({ ...identity, channels });
    },

    deploy(pack, options = {}) {
      return exclusively('writing a model', async (board) => {
        const wasStreaming = machine.name === 'streaming';
        const release = link.keep?.();
        dispatch({ type: 'deploy-began' });
        try {
          if (wasStreaming) {
            gapSince = null;
            await mote.stopStream();
          }
          const report = await deployPack(mote, board, pack, {
            clock,
            signal: options.signal,
            onProgress: (progress) => {
              if (machine.name === 'deploying' && machine.step !== progress.step) {
                dispatch({ type: 'deploy-step', step: progress.step });
              }
              options.onProgress?.(progress);
            },
          });
          await refreshSlots();
          return report;
        } catch (error) {
          // The slots may have changed. A board that is gone or hangs tells when it is back.
          const answers = !(error instanceof BoardError && error.code === 'timeout-command');
          if (answers && machine.name === 'deploying') await refreshSlots().catch(() => undefined);
          throw error;
        } finally {
          dispatch({ type: 'deploy-ended' });
          release?.();
        }
      });
    },

    async useMicroPython(work, options = {}) {
      const board = requireOpen();
      if (board.dialect === 'mote') {
        throw new BoardError('not-supported', `${board.name} has Mote’s firmware. Write the model into its slots.`);
      }
      if (operation) {
        throw new BoardError('busy', `The board is busy (${operation}). Wait until it is done and try again.`);
      }
      const mine = epoch;
      operation = 'working on its files';
      const release = link.keep?.();
      dispatch({ type: 'deploy-began' });
      try {
        return await useRepl(async () => {
          const files = await openMicroPythonFiles(repl, options.signal);
          try {
            return await work({
              files,
              run: (source, run) => repl.exec(source, run),
              clear: (signal) => repl.clear(signal),
            });
          } finally {
            // main.py was interrupted: it starts again, also when the work failed.
            if (mine === epoch) await repl.softReset().catch(() => undefined);
          }
        });
      } finally {
        release?.();
        if (mine === epoch) {
          operation = null;
          gapSince = null;
          lines.restart();
          rate.reset();
          firstReadingAt = null;
          dispatch({ type: 'deploy-ended' });
        }
      }
    },

    async program(work) {
      if (machine.name === 'deploying') {
        throw new BoardError('busy', 'A model is being written. Write the program when that is done.');
      }
      if (machine.name === 'programming') throw programming();
      wantsResults = false;
      gapSince = null;
      dispatch({ type: 'program-began' });
      await link.close();
      try {
        const result = await work(link);
        dispatch({ type: 'program-ended', error: null });
        return result;
      } catch (thrown) {
        const error = toBoardError(asError(thrown));
        dispatch({ type: 'program-ended', error });
        throw error;
      }
    },

    readModel(options = {}) {
      return exclusively('reading the model', () =>
        readPack(mote, options.slot ?? null, { clock, onProgress: options.onProgress, signal: options.signal }),
      );
    },

    selfTest(options = {}) {
      return exclusively('the self-test', () => mote.selfTest(options.slot ?? null, () => undefined, options.signal));
    },

    activateSlot(slot) {
      return exclusively('switching models', async () => {
        await mote.activate(slot);
        await refreshSlots();
      });
    },

    classify(window, signal) {
      return exclusively('classifying', () => mote.classify(window, signal));
    },

    setClassifying(on) {
      return exclusively('classifying', async () => {
        await mote.run(on);
        wantsResults = on;
      });
    },

    async disconnect() {
      const streaming = machine.name === 'streaming' && identity?.dialect === 'mote';
      const error = new BoardError('disconnected', 'The board was disconnected.');
      // A board with a battery would go on sending to nobody.
      if (streaming) await Promise.race([mote.stopStream(), wait(timers, FAREWELL_MS)]).catch(() => undefined);
      mote.failRequests(error);
      connecting?.reject(error);
      connecting = null;
      wantsResults = false;
      gapSince = null;
      dispatch({ type: 'disconnect' });
      await link.close();
    },
  };
}

function programming(): BoardError {
  return new BoardError('busy', 'The board’s program is being written. Connect when that is done.');
}

interface Connecting {
  readonly promise: Promise<BoardIdentity>;
  readonly resolve: (identity: BoardIdentity) => void;
  readonly reject: (error: Error) => void;
}

function promiseOfIdentity(): Connecting {
  let resolve: Connecting['resolve'] = () => undefined;
  let reject: Connecting['reject'] = () => undefined;
  const promise = new Promise<BoardIdentity>((res, rej) => {
    resolve = res;
    reject = rej;
  });
  return { promise, resolve, reject };
}

function nearest(offered: readonly number[], asked: number): number {
  return offered.reduce((best, hz) => (Math.abs(hz - asked) < Math.abs(best - asked) ? hz : best), offered[0] ?? asked);
}
