/** Several boards at once: the sessions that are open, one per link. Lives as long as the app. */
import type { BoardSession } from './board';
import type { Link } from './link';
import { createSession } from './session';
import type { SessionEnvironment } from './session';

export interface Sessions {
  /** Newest last. */
  readonly all: readonly BoardSession[];
  /** The session of this link; made when there is none. */
  open(link: Link, note?: Pick<SessionEnvironment, 'note' | 'storeNote'>): BoardSession;
  find(link: Link): BoardSession | null;
  /** Disconnects and forgets the session. */
  close(session: BoardSession): Promise<void>;
  closeAll(): Promise<void>;
  /** Called when a session came or went. */
  onChange(listener: () => void): () => void;
}

export function createSessions(environment: SessionEnvironment): Sessions {
  const byLink = new Map<Link, BoardSession>();
  const listeners = new Set<() => void>();
  const tell = (): void => {
    for (const listener of [...listeners]) listener();
  };

  async function close(session: BoardSession): Promise<void> {
    for (const [link, candidate] of byLink) if (candidate === session) byLink.delete(link);
    tell();
    await session.disconnect();
  }

  return {
    get all() {
      return [...byLink.values()];
    },
    open(link, note = {}) {
      const known = byLink.get(link);
      if (known) return known;
      const session = createSession(link, { ...environment, ...note });
      byLink.set(link, session);
      tell();
      return session;
    },
    find: (link) => byLink.get(link) ?? null,
    close,
    async closeAll() {
      await Promise.all([...byLink.values()].map(close));
    },
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
