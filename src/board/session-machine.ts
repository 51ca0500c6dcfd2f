/**
 * The life of a session as a pure state machine: (state, event) -> (state, effects). Nothing here waits, opens or
 * sends; `session.ts` carries the effects out and reports back with events. Events that do not fit a state are
 * ignored, so a late answer can never move a session that has gone on.
 */
import { BoardError } from './board';
import type { DeployStep, SessionState } from './board';

/** What was going on when the cable was pulled, to be taken up again. */
export interface Resume {
  readonly streaming: boolean;
}

export type MachineState =
  | { readonly name: 'closed' }
  /** `resume` is null for a first connect, else what a reconnect takes up again. */
  | { readonly name: 'opening'; readonly resume: Resume | null; readonly attempt: number }
  | { readonly name: 'identifying'; readonly resume: Resume | null; readonly attempt: number }
  | { readonly name: 'ready' }
  | { readonly name: 'streaming' }
  /** Streaming was asked for, but nothing comes. The link stays open: it heals when samples come again. */
  | { readonly name: 'stalled'; readonly error: BoardError }
  | { readonly name: 'deploying'; readonly step: DeployStep; readonly resume: Resume }
  /** Somebody else has the link, to talk to the boot loader. */
  | { readonly name: 'programming' }
  | { readonly name: 'lost'; readonly error: BoardError; readonly resume: Resume; readonly attempt: number }
  | { readonly name: 'failed'; readonly error: BoardError };

export type MachineEvent =
  | { readonly type: 'connect' }
  | { readonly type: 'opened' }
  | { readonly type: 'open-failed'; readonly error: BoardError }
  | { readonly type: 'identified' }
  | { readonly type: 'identify-failed'; readonly error: BoardError }
  | { readonly type: 'stream-started' }
  | { readonly type: 'stream-stopped' }
  | { readonly type: 'stream-quiet'; readonly error: BoardError }
  | { readonly type: 'stream-heard' }
  | { readonly type: 'deploy-began' }
  | { readonly type: 'deploy-step'; readonly step: DeployStep }
  | { readonly type: 'deploy-ended' }
  | { readonly type: 'program-began' }
  /** `error` null: it succeeded. */
  | { readonly type: 'program-ended'; readonly error: BoardError | null }
  | { readonly type: 'link-lost'; readonly error: BoardError }
  /** The link says that the board is back. */
  | { readonly type: 'returned' }
  /** The retry timer rang. */
  | { readonly type: 'retry' }
  | { readonly type: 'disconnect' };

export type MachineEffect =
  | { readonly type: 'open' }
  | { readonly type: 'identify' }
  | { readonly type: 'close-link' }
  /** Rejects every request that waits for an answer. */
  | { readonly type: 'fail-requests'; readonly error: BoardError }
  | { readonly type: 'watch-return' }
  | { readonly type: 'unwatch-return' }
  | { readonly type: 'schedule-retry'; readonly ms: number }
  | { readonly type: 'cancel-retry' }
  /** Settles the promises of `connect()`. */
  | { readonly type: 'connected' }
  | { readonly type: 'connect-failed'; readonly error: BoardError }
  | { readonly type: 'resume-stream' };

export interface Transition {
  readonly state: MachineState;
  readonly effects: readonly MachineEffect[];
}

/** A board that comes back needs a moment until its port opens (enumeration, udev rules, driver). */
export const REOPEN_DELAYS_MS = [250, 500, 1000, 2000, 4000] as const;
/** Where no event tells of the return: how often to try. */
export const REOPEN_POLL_MS = 2000;

export const INITIAL_STATE: MachineState = { name: 'closed' };

/** The state as the rest of the house sees it. */
export function publicState(state: MachineState): SessionState {
  switch (state.name) {
    case 'closed':
    case 'ready':
    case 'streaming':
    case 'programming':
      return { name: state.name };
    case 'opening':
    case 'identifying':
      return { name: state.name };
    case 'deploying':
      return { name: 'deploying', step: state.step };
    case 'lost':
      return { name: 'lost', error: state.error };
    case 'stalled':
    case 'failed':
      return { name: 'failed', error: state.error };
  }
}

/** Whether the link is (being) opened in this state. */
export function holdsLink(state: MachineState): boolean {
  switch (state.name) {
    case 'closed':
    case 'lost':
    case 'failed':
    case 'programming':
      return false;
    case 'opening':
    case 'identifying':
    case 'ready':
    case 'streaming':
    case 'stalled':
    case 'deploying':
      return true;
  }
}

/** The next state and what is to be done; `pollReturn` when the link cannot tell of a return by itself. */
export function step(state: MachineState, event: MachineEvent, pollReturn = false): Transition {
  const stay: Transition = { state, effects: [] };
  switch (event.type) {
    case 'connect':
      if (holdsLink(state) || state.name === 'programming') return stay;
      return {
        state: { name: 'opening', resume: state.name === 'lost' ? state.resume : null, attempt: 0 },
        effects: [{ type: 'cancel-retry' }, { type: 'unwatch-return' }, { type: 'open' }],
      };

    case 'opened':
      if (state.name !== 'opening') return stay;
      return { state: { ...state, name: 'identifying' }, effects: [{ type: 'identify' }] };

    case 'open-failed':
      if (state.name !== 'opening') return stay;
      return state.resume
        ? lose(state.resume, event.error, state.attempt + 1, pollReturn)
        : fail(event.error, { type: 'connect-failed', error: event.error });

    case 'identified':
      if (state.name !== 'identifying') return stay;
      return {
        state: { name: 'ready' },
        effects: state.resume?.streaming ? [{ type: 'connected' }, { type: 'resume-stream' }] : [{ type: 'connected' }],
      };

    case 'identify-failed':
      if (state.name !== 'identifying') return stay;
      // A board that came back may need longer than usual, or another reset.
      if (state.resume && event.error.code !== 'refused') {
        return lose(state.resume, event.error, state.attempt + 1, pollReturn);
      }
      return fail(event.error, { type: 'connect-failed', error: event.error });

    case 'stream-started':
      return state.name === 'ready' ? { state: { name: 'streaming' }, effects: [] } : stay;

    case 'stream-stopped':
      return state.name === 'streaming' || state.name === 'stalled' ? { state: { name: 'ready' }, effects: [] } : stay;

    case 'stream-quiet':
      return state.name === 'streaming' ? { state: { name: 'stalled', error: event.error }, effects: [] } : stay;

    case 'stream-heard':
      return state.name === 'stalled' ? { state: { name: 'streaming' }, effects: [] } : stay;

    case 'deploy-began':
      if (state.name !== 'ready' && state.name !== 'streaming') return stay;
      return {
        state: { name: 'deploying', step: 'checking', resume: { streaming: state.name === 'streaming' } },
        effects: [],
      };

    case 'deploy-step':
      return state.name === 'deploying' ? { state: { ...state, step: event.step }, effects: [] } : stay;

    case 'deploy-ended':
      if (state.name !== 'deploying') return stay;
      return { state: { name: 'ready' }, effects: state.resume.streaming ? [{ type: 'resume-stream' }] : [] };

    case 'program-began': {
      if (state.name === 'deploying' || state.name === 'programming') return stay;
      const error = new BoardError('busy', 'The board’s program is being written. Connect when that is done.');
      return {
        state: { name: 'programming' },
        effects: [
          { type: 'cancel-retry' },
          { type: 'unwatch-return' },
          { type: 'fail-requests', error },
          { type: 'connect-failed', error },
          { type: 'close-link' },
        ],
      };
    }

    case 'program-ended':
      if (state.name !== 'programming') return stay;
      return event.error === null || event.error.code === 'cancelled'
        ? { state: { name: 'closed' }, effects: [] }
        : { state: { name: 'failed', error: event.error }, effects: [] };

    case 'link-lost':
      // Opening again by itself would snatch the board back from the tab that a person chose.
      if (event.error.code === 'taken-over' && holdsLink(state)) {
        return fail(event.error, { type: 'connect-failed', error: event.error });
      }
      switch (state.name) {
        case 'closed':
        case 'lost':
        case 'failed':
        case 'programming':
          return stay;
        case 'opening':
        case 'identifying':
          return lose(state.resume ?? { streaming: false }, event.error, state.attempt + 1, pollReturn);
        case 'ready':
          return lose({ streaming: false }, event.error, 0, pollReturn);
        case 'streaming':
        case 'stalled':
          return lose({ streaming: true }, event.error, 0, pollReturn);
        case 'deploying':
          return lose(state.resume, event.error, 0, pollReturn);
      }
      return stay;

    case 'returned':
    case 'retry':
      if (state.name !== 'lost') return stay;
      return {
        // A fresh sign of life deserves the whole series of tries again.
        state: { name: 'opening', resume: state.resume, attempt: event.type === 'returned' ? 0 : state.attempt },
        effects: [{ type: 'cancel-retry' }, { type: 'unwatch-return' }, { type: 'open' }],
      };

    case 'disconnect': {
      if (state.name === 'closed') return stay;
      const effects: MachineEffect[] = [{ type: 'cancel-retry' }, { type: 'unwatch-return' }];
      return { state: { name: 'closed' }, effects: [...effects, { type: 'close-link' }] };
    }
  }
}

function lose(resume: Resume, error: BoardError, attempt: number, pollReturn: boolean): Transition {
  const effects: MachineEffect[] = [
    { type: 'fail-requests', error },
    { type: 'connect-failed', error },
    { type: 'close-link' },
    { type: 'watch-return' },
  ];
  if (pollReturn) effects.push({ type: 'schedule-retry', ms: REOPEN_POLL_MS });
  else if (attempt > 0) {
    const ms = REOPEN_DELAYS_MS[attempt - 1];
    if (ms !== undefined) effects.push({ type: 'schedule-retry', ms });
  }
  return { state: { name: 'lost', error, resume, attempt }, effects };
}

function fail(error: BoardError, settle: MachineEffect): Transition {
  return {
    state: { name: 'failed', error },
    effects: [{ type: 'fail-requests', error }, settle, { type: 'close-link' }],
  };
}
