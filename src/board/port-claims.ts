/**
 * Which tab of the studio has which board open. A tab holds a web lock for every port that it opened; locks are visible
 * from all tabs of the origin and end with their tab, whatever happens to it. Ports have no identity across tabs but
 * their USB ids, so claims are counted per pair of ids.
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

export interface PortClaims {
  /** Claims a port that is being opened. `onTaken` is called once when another tab wants it: close it, then release. */
  claim(ids: PortIds, onTaken: () => void): Cancel;
  /** How many ports with these ids other tabs have open. */
  elsewhere(ids: PortIds): Promise<number>;
  /** Makes other tabs let go of ports with these ids; resolves when they did. Rejects with LinkError `busy-tab`. */
  takeOver(ids: PortIds): Promise<void>;
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

export function createPortClaims({ locks, channel, timers, randomId }: ClaimsEnvironment): PortClaims {
  const mine = new Map<string, { readonly key: string; readonly onTaken: () => void }>();

  channel.addEventListener('message', ({ data }) => {
    const key = wantedKey(data);
    if (key === null) return;
    for (const claim of [...mine.values()]) if (claim.key === key) claim.onTaken();
  });

  async function heldElsewhere(): Promise<{ readonly name: string; readonly key: string }[]> {
    const { held = [] } = await locks.query();
    return held.flatMap(({ name = '' }) => {
      const [prefix, key] = name.split(' ');
      return prefix === PREFIX && key !== undefined && !mine.has(name) ? [{ name, key }] : [];
    });
  }

  async function of(key: string): Promise<string[]> {
    return (await heldElsewhere()).filter((claim) => claim.key === key).map(({ name }) => name);
  }

  return {
    claim(ids, onTaken) {
      const key = keyOf(ids);
      const name = `${PREFIX} ${key} ${randomId()}`;
      let letGo: () => void = () => undefined;
      let told = false;
      const held = new Promise<void>((resolve) => {
        letGo = resolve;
      });
      mine.set(name, {
        key,
        onTaken: () => {
          if (told) return;
          told = true;
          onTaken();
        },
      });
      // Rejects when the lock is stolen: this tab was too slow to answer the message.
      locks.request(name, {}, () => held).catch(() => mine.get(name)?.onTaken());
      return () => {
        mine.delete(name);
        letGo();
      };
    },

    elsewhere: async (ids) => (await of(keyOf(ids))).length,

    async takeOver(ids) {
      const key = keyOf(ids);
      channel.postMessage({ type: 'let-go', key });
      for (let waited = 0; waited < LET_GO_TIMEOUT_MS; waited += LOOK_MS) {
        if ((await of(key)).length === 0) return;
        await wait(timers, LOOK_MS);
      }
      // A tab that hangs or sleeps hears nothing; losing its lock tells it as soon as it wakes.
      for (const name of await of(key)) {
        await locks.request(name, { steal: true }, () => Promise.resolve()).catch(() => undefined);
      }
      if ((await of(key)).length > 0) {
        throw new LinkError(
          'busy-tab',
          'The other tab does not let go of the board. Close that tab, then connect again.',
        );
      }
    },

    listElsewhere: async () => (await heldElsewhere()).map(({ key }) => key),
  };
}

function keyOf({ usbVendorId, usbProductId }: PortIds): string {
  if (usbVendorId === null) return 'serial';
  const hex = (n: number): string => n.toString(16).padStart(4, '0');
  return usbProductId === null ? hex(usbVendorId) : `${hex(usbVendorId)}:${hex(usbProductId)}`;
}

function wantedKey(data: unknown): string | null {
  if (typeof data !== 'object' || data === null || !('type' in data) || !('key' in data)) return null;
  return data.type === 'let-go' && typeof data.key === 'string' ? data.key : null;
}
