/** A board for tests: a session whose events the test fires itself. */
import {
  BoardError,
  type BoardIdentity,
  type BoardSession,
  type SampleBatch,
  type SessionEvents,
  type SessionState,
} from '../../board/board';
import type { Link } from '../../board/link';
import { Board } from './boards.svelte';

export interface FakeBoard {
  readonly board: Board;
  emit<K extends keyof SessionEvents>(event: K, ...args: Parameters<SessionEvents[K]>): void;
  /** Sends frames in which channel c of frame n is n + c / 10. */
  send(frames: number, lostBefore?: number): void;
  pullCable(): void;
}

export const FAKE_IDENTITY: BoardIdentity = {
  dialect: 'mote',
  name: 'Fake',
  firmware: '1.0',
  serial: null,
  channels: [
    { name: 'x', unit: 'g' },
    { name: 'y', unit: 'g' },
  ],
  rateHz: 100,
  rateEstimated: false,
  modelRamBytes: null,
  slots: [],
};

export function fakeBoard(identity: BoardIdentity = FAKE_IDENTITY): FakeBoard {
  const listeners: { [K in keyof SessionEvents]: Set<SessionEvents[K]> } = {
    state: new Set(),
    identity: new Set(),
    samples: new Set(),
    result: new Set(),
    lineStats: new Set(),
  };
  const emit: FakeBoard['emit'] = (event, ...args) => {
    for (const listener of [...listeners[event]]) (listener as (...values: unknown[]) => void)(...args);
  };
  const info = { kind: 'test', title: 'Fake', usbVendorId: null, usbProductId: null } as const;
  const session = {
    link: info,
    state: { name: 'streaming' } satisfies SessionState,
    identity,
    on: <K extends keyof SessionEvents>(event: K, listener: SessionEvents[K]) => {
      listeners[event].add(listener);
      return () => listeners[event].delete(listener);
    },
  } as unknown as BoardSession;
  const board = new Board('fake', { info } as unknown as Link, session, 115_200);
  let sent = 0;
  const width = identity.channels.length;
  return {
    board,
    emit,
    send(frames, lostBefore = 0) {
      sent += lostBefore;
      const samples = Float32Array.from(
        { length: frames * width },
        (_, index) => sent + Math.floor(index / width) + (index % width) / 10,
      );
      const batch: SampleBatch = {
        samples,
        frames,
        sequence: sent,
        lostBefore,
        boardTimeUs: (sent * 1e6) / identity.rateHz,
        arrivedAt: (sent * 1000) / identity.rateHz,
      };
      sent += frames;
      emit('samples', batch);
    },
    pullCable: () => emit('state', { name: 'lost', error: new BoardError('disconnected', 'pulled') }),
  };
}
