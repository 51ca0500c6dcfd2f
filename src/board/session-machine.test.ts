import { describe, expect, it } from 'vitest';
import { Random } from '../signal/random';
import { BoardError } from './board';
import { holdsLink, INITIAL_STATE, publicState, REOPEN_DELAYS_MS, step } from './session-machine';
import type { MachineEvent, MachineState } from './session-machine';

const error = new BoardError('disconnected', 'pulled');
const refused = new BoardError('refused', 'another board');

/** The state after these events. */
function after(...events: MachineEvent[]): MachineState {
  return events.reduce((state, event) => step(state, event).state, INITIAL_STATE);
}
const types = (state: MachineState, event: MachineEvent, poll = false): string[] =>
  step(state, event, poll).effects.map((effect) => effect.type);

const READY: MachineEvent[] = [{ type: 'connect' }, { type: 'opened' }, { type: 'identified' }];
const STREAMING: MachineEvent[] = [...READY, { type: 'stream-started' }];
const LOST: MachineEvent = { type: 'link-lost', error };

describe('session machine', () => {
  it('walks from closed to streaming', () => {
    expect(after({ type: 'connect' })).toMatchObject({ name: 'opening', resume: null });
    expect(after(...READY)).toEqual({ name: 'ready' });
    expect(after(...STREAMING)).toEqual({ name: 'streaming' });
  });

  it('fails by name when the port does not open or the board stays unknown, and can be tried again', () => {
    const failed = after({ type: 'connect' }, { type: 'open-failed', error });
    expect(failed).toEqual({ name: 'failed', error });
    expect(step(failed, { type: 'connect' }).state.name).toBe('opening');
    expect(after({ type: 'connect' }, { type: 'opened' }, { type: 'identify-failed', error }).name).toBe('failed');
  });

  it('streams again by itself after the cable was pulled and plugged in', () => {
    const lost = after(...STREAMING, LOST);
    expect(lost).toMatchObject({ name: 'lost', resume: { streaming: true } });
    expect(types(after(...STREAMING), LOST)).toEqual(['fail-requests', 'connect-failed', 'close-link', 'watch-return']);
    expect(types(lost, { type: 'returned' })).toContain('open');
    const back = after(...STREAMING, LOST, { type: 'returned' }, { type: 'opened' });
    expect(types(back, { type: 'identified' })).toEqual(['connected', 'resume-stream']);
  });

  it('does not stream after a return when it did not before', () => {
    const back = after(...READY, LOST, { type: 'returned' }, { type: 'opened' });
    expect(types(back, { type: 'identified' })).toEqual(['connected']);
  });

  it('tries a port that is back but does not open yet a few times, then waits for the next sign', () => {
    let state = after(...STREAMING, LOST, { type: 'returned' });
    for (const ms of REOPEN_DELAYS_MS) {
      const failed = step(state, { type: 'open-failed', error });
      expect(failed.effects).toContainEqual({ type: 'schedule-retry', ms });
      state = step(failed.state, { type: 'retry' }).state;
    }
    const last = step(state, { type: 'open-failed', error });
    expect(last.state.name).toBe('lost');
    expect(last.effects.map((effect) => effect.type)).not.toContain('schedule-retry');
    expect(step(last.state, { type: 'returned' }).state).toMatchObject({ name: 'opening', attempt: 0 });
  });

  it('polls where no event tells of the return', () => {
    expect(types(after(...READY), LOST, true)).toContain('schedule-retry');
  });

  it('does not take another board for the one that left', () => {
    const back = after(...STREAMING, LOST, { type: 'returned' }, { type: 'opened' });
    expect(step(back, { type: 'identify-failed', error: refused }).state).toEqual({ name: 'failed', error: refused });
    expect(step(back, { type: 'identify-failed', error }).state.name).toBe('lost');
  });

  it('keeps a connection that went quiet and heals when samples come', () => {
    const quiet = after(...STREAMING, { type: 'stream-quiet', error });
    expect(publicState(quiet)).toEqual({ name: 'failed', error });
    expect(holdsLink(quiet)).toBe(true);
    expect(step(quiet, { type: 'stream-heard' }).state).toEqual({ name: 'streaming' });
  });

  it('goes back to streaming after a deploy, also when the cable was pulled in its middle', () => {
    const deploying = after(...STREAMING, { type: 'deploy-began' }, { type: 'deploy-step', step: 'writing' });
    expect(publicState(deploying)).toEqual({ name: 'deploying', step: 'writing' });
    expect(types(deploying, { type: 'deploy-ended' })).toEqual(['resume-stream']);
    expect(step(deploying, LOST).state).toMatchObject({ name: 'lost', resume: { streaming: true } });
  });

  it('lends the link to a boot loader from any state but a deploy, and takes the outcome', () => {
    const cancelled = new BoardError('cancelled', 'stopped');
    for (const before of [[], READY, STREAMING, [...STREAMING, LOST], [{ type: 'connect' } as const]]) {
      const state = after(...before, { type: 'program-began' });
      expect(state).toEqual({ name: 'programming' });
      // Nothing may open the port meanwhile.
      for (const event of [{ type: 'connect' }, { type: 'returned' }, { type: 'retry' }, { type: 'opened' }] as const) {
        expect(step(state, event)).toEqual({ state, effects: [] });
      }
      expect(step(state, { type: 'program-ended', error: null }).state).toEqual({ name: 'closed' });
      expect(step(state, { type: 'program-ended', error: cancelled }).state).toEqual({ name: 'closed' });
      expect(step(state, { type: 'program-ended', error }).state).toEqual({ name: 'failed', error });
    }
    const deploying = after(...READY, { type: 'deploy-began' });
    expect(step(deploying, { type: 'program-began' }).state).toBe(deploying);
    expect(step(after(...READY), { type: 'program-ended', error }).state).toEqual({ name: 'ready' });
  });

  it('holds the link in exactly the states that opened it, whatever happens', () => {
    const random = new Random(6);
    const events: MachineEvent[] = [
      { type: 'connect' },
      { type: 'opened' },
      { type: 'open-failed', error },
      { type: 'identified' },
      { type: 'identify-failed', error },
      { type: 'stream-started' },
      { type: 'stream-stopped' },
      { type: 'stream-quiet', error },
      { type: 'stream-heard' },
      { type: 'deploy-began' },
      { type: 'deploy-step', step: 'writing' },
      { type: 'deploy-ended' },
      { type: 'program-began' },
      { type: 'program-ended', error: null },
      { type: 'program-ended', error },
      LOST,
      { type: 'returned' },
      { type: 'retry' },
      { type: 'disconnect' },
    ];
    for (let run = 0; run < 200; run++) {
      let state = INITIAL_STATE;
      let held = false;
      for (let i = 0; i < 60; i++) {
        const event = events[Math.floor(random.next() * events.length)] ?? { type: 'connect' };
        const transition = step(state, event, run % 2 === 0);
        for (const effect of transition.effects) {
          if (effect.type === 'open') {
            expect(held).toBe(false);
            held = true;
          }
          if (effect.type === 'close-link') held = false;
        }
        state = transition.state;
        expect(holdsLink(state)).toBe(held);
        if (state.name === 'lost') expect(publicState(state)).toHaveProperty('error');
      }
    }
  });
});
