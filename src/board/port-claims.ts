/**
 * Which tab of the studio has which board open. A tab holds a web lock for every port that it opened; locks are visible
 * from all tabs of the origin and end with their tab, whatever happens to it. Ports have no identity across tabs: they
 * are told apart by their USB ids, and boards of one kind by their place in the browser's list of ports, which is the
 * same in all tabs.
 */
import { LinkError } from './link';
import { wait } from './timing';
import type { Cancel, Timers } from './timing';

/** A tab closes its port within the driver's patience; after that its lock is stolen. */
export const LET_GO_TIMEOUT_MS = 4000;
/** How often to look whether the other tab has let go. */
const LOOK_MS = 50;
const PREFIX = 'mote-port';

/** The part of `navigator.locks` that is used. */
export interface LocksLike {
  request(
    name: string,
    options: { readonly ifAvailable?: boolean; readonly steal?: boolean },
    run: () => Promise<void>,
  ): Promise<unknown>;
  query(): Promise<{ readonly held?: readonly { readonly name?: string }[] }>;
}

/** The part of a `BroadcastChannel` that is used: it reaches all tabs but this one. */
export interface ChannelLike {
  postMessage(message: unknown): void;
  addEventListener(type: 'message', listener: (event: { readonly data: unknown }) => void): void;
}

export interface PortIds {
  readonly usbVendorId: number | null;
  readonly usbProductId: number | null;
}

/** A port as all tabs know it. */
export interface PortPlace extends PortIds {
  /** Which of the ports with these ids, from 0, in the order in which the browser lists them. */
  readonly twin: number;
}

export interface PortClaim {
  /** The port has another place now: boards of its kind came or went. */
  move(twin: number): void;
  release(): void;
}

export interface ClaimOptions {
  /** Called once when another tab got the port: close it, then release. */
  readonly onTaken: () => void;
  /** True while the port must not be taken: its owner is writing to the board. */
  readonly keeps?: () => boolean;
}

export interface PortClaims {
  /** Claims a port that is being opened. */
  claim(place: PortPlace, options: ClaimOptions): PortClaim;
  /** How many ports with these ids other tabs have open, and whether this very one is among them. */
  elsewhere(place: PortPlace): Promise<{ readonly ports: number; readonly thisOne: boolean }>;
  /**
   * Makes the other tab let go of this port; resolves when it did. Rejects with LinkError `busy-tab` when that tab is
   * writing to the board, or keeps it for no reason that it tells.
   */
  takeOver(place: PortPlace): Promise<void>;
  /** Ports that other tabs have open, by their ids ("2341:0043", "serial" for ports without). */
  listElsewhere(): Promise<string[]>;
}

export interface ClaimsEnvironment {
  readonly locks: LocksLike;
  readonly channel: ChannelLike;
  readonly timers: Timers;
  /** Unique among tabs and claims; letters and digits. */
  readonly randomId: () => string;
}

interface Claim {
  readonly key: string;
  twin: number;
  readonly taken: () => void;
  readonly keeps: () => boolean;
}

export function createPortClaims({ locks, channel, timers, randomId }: ClaimsEnvironment): PortClaims {
  const mine = new Map<string, Claim>();
  /** Called when a tab refuses to let go of a port with this key. */
  const refused = new Set<(key: string) => void>();

  channel.addEventListener('message', ({ data }) => {
    const message = messageOf(data);
    if (!message) return;
    if (message.type === 'refused') {
      for (const listener of [...refused]) listener(message.key);
      return;
    }
    const { key, twin } = message;
    for (const claim of [...mine.values()]) {
      if (claim.key !== key || (twin !== null && claim.twin !== twin)) continue;
      if (claim.keeps()) channel.postMessage({ type: 'refused', key });
      else claim.taken();
    }
  });

  async function heldElsewhere(): Promise<{ readonly name: string; readonly key: string; readonly twin: number }[]> {
    const { held = [] } = await locks.query();
    return held.flatMap(({ name = '' }) => {
      const [prefix, key, twin] = name.split(' ');
      return prefix === PREFIX && key !== undefined && !mine.has(name) ? [{ name, key, twin: Number(twin) }] : [];
    });
  }

  async function namesOf(key: string, twin: number | null): Promise<string[]> {
    const held = await heldElsewhere();
    return held.filter((claim) => claim.key === key && (twin === null || claim.twin === twin)).map(({ name }) => name);
  }

  /** Holds a lock for the claim until the returned function is called. */
  function hold(claim: Claim): Cancel {
    const name = `${PREFIX} ${claim.key} ${claim.twin} ${randomId()}`;
    let letGo: () => void = () => undefined;
    const held = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    mine.set(name, claim);
    // Rejects when the lock is stolen: this tab was too slow to answer the message.
    locks.request(name, {}, () => held).catch(() => mine.get(name)?.taken());
    return () => {
      mine.delete(name);
      letGo();
    };
  }

  return {
    claim(place, { onTaken, keeps = () => false }) {
      let told = false;
      const claim: Claim = {
        key: keyOf(place),
        twin: place.twin,
        keeps,
        taken: () => {
          if (told) return;
          told = true;
          onTaken();
        },
      };
      let letGo = hold(claim);
      return {
        move(twin) {
          if (twin === claim.twin) return;
          claim.twin = twin;
          const before = letGo;
          letGo = hold(claim);
          before();
        },
        release: () => letGo(),
      };
    },

    async elsewhere(place) {
      const twins = (await heldElsewhere()).filter(({ key }) => key === keyOf(place)).map(({ twin }) => twin);
      return { ports: twins.length, thisOne: twins.includes(place.twin) };
    },

    async takeOver(place) {
      const key = keyOf(place);
      // A tab that counts differently has it under another number: then all of this kind are asked for.
      const twin = (await namesOf(key, place.twin)).length > 0 ? place.twin : null;
      const refusals: LinkError[] = [];
      const onRefused = (from: string): void => {
        if (from === key) refusals.push(keptBusy());
      };
      refused.add(onRefused);
      try {
        channel.postMessage({ type: 'let-go', key, twin });
        for (let waited = 0; waited < LET_GO_TIMEOUT_MS; waited += LOOK_MS) {
          if ((await namesOf(key, twin)).length === 0) return;
          const [refusal] = refusals;
          if (refusal) throw refusal;
          await wait(timers, LOOK_MS);
        }
      } finally {
        refused.delete(onRefused);
      }
      // A tab that hangs or sleeps hears nothing; losing its lock tells it as soon as it wakes.
      for (const name of await namesOf(key, twin)) {
        await locks.request(name, { steal: true }, () => Promise.resolve()).catch(() => undefined);
      }
      if ((await namesOf(key, twin)).length > 0) {
        throw new LinkError(
          'busy-tab',
          'The other tab does not let go of the board. Close that tab, then connect again.',
        );
      }
    },

    listElsewhere: async () => (await heldElsewhere()).map(({ key }) => key),
  };
}

function keptBusy(): LinkError {
  return new LinkError(
    'busy-tab',
    'The other tab is writing to the board, and a cut in the middle of that helps nobody. Wait until it is done there, then take the board over.',
  );
}

function keyOf({ usbVendorId, usbProductId }: PortIds): string {
  if (usbVendorId === null) return 'serial';
  const hex = (n: number): string => n.toString(16).padStart(4, '0');
  return usbProductId === null ? hex(usbVendorId) : `${hex(usbVendorId)}:${hex(usbProductId)}`;
}

type Message =
  /** `twin` null asks for all ports with these ids. */
  | { readonly type: 'let-go'; readonly key: string; readonly twin: number | null }
  | { readonly type: 'refused'; readonly key: string };

/** What another tab said; null for anything else, such as the messages of an older version of the studio. */
function messageOf(data: unknown): Message | null {
  if (typeof data !== 'object' || data === null || !('type' in data) || !('key' in data)) return null;
  const { type, key } = data;
  if (typeof key !== 'string') return null;
  if (type === 'refused') return { type, key };
  if (type !== 'let-go') return null;
  return { type, key, twin: 'twin' in data && typeof data.twin === 'number' ? data.twin : null };
}
