/**
 * The ports that the browser lets this page use, as links: which board is behind which link, also after it was
 * unplugged and came back as another port object. The backing (native or polyfill) is behind `PortBackend`.
 */
import type { Link, LinkInfo } from './link';
import { LinkError } from './link';
import type { PortClaims } from './port-claims';
import { createSerialPortLink, errorName } from './serial-port-link';
import type { PortSource, SerialPortLike } from './serial-port-link';
import { asError } from './timing';
import type { Cancel, Timing } from './timing';
import { usbTitle } from './usb-names';

export interface PortFilter {
  readonly usbVendorId: number;
  readonly usbProductId?: number;
}

/** What native Web Serial and the polyfill have in common. Ports are compared by identity. */
export interface PortBackend {
  readonly kind: 'web-serial' | 'webusb';
  /** Shows the browser's chooser; rejects with whatever the platform throws. */
  request(filters: readonly PortFilter[]): Promise<SerialPortLike>;
  /** Ports that the user allowed before and that are plugged in. */
  ports(): Promise<readonly SerialPortLike[]>;
  /** Plugged and unplugged; the port is null when the platform does not tell which. */
  onPlugged(listener: (port: SerialPortLike | null) => void): Cancel;
  onUnplugged(listener: (port: SerialPortLike) => void): Cancel;
}

export interface PortCatalog {
  readonly kind: PortBackend['kind'];
  /** Asks the user for a board. A board that was lost and is chosen again gets its old link back. */
  request(filters?: readonly PortFilter[]): Promise<Link>;
  /** Links to the boards that are plugged in and allowed, without asking. The same board is the same link. */
  remembered(): Promise<Link[]>;
  /** Gives the permission back; the link is closed. */
  forget(link: Link): Promise<void>;
  /** Called when a board was plugged in or unplugged. */
  onChange(listener: () => void): Cancel;
}

interface Entry {
  readonly link: Link;
  readonly source: PortSource;
  /** Null while unplugged. */
  port: SerialPortLike | null;
  readonly plugged: Set<() => void>;
  readonly unplugged: Set<() => void>;
  readonly usbVendorId: number | null;
  readonly usbProductId: number | null;
}

export function createPortCatalog(backend: PortBackend, timing: Timing, claims: PortClaims | null = null): PortCatalog {
  const entries: Entry[] = [];
  const changed = new Set<() => void>();

  function idsOf(port: SerialPortLike): { usbVendorId: number | null; usbProductId: number | null } {
    const { usbVendorId, usbProductId } = port.getInfo();
    return { usbVendorId: usbVendorId ?? null, usbProductId: usbProductId ?? null };
  }

  function entryOf(port: SerialPortLike): Entry {
    const known = entries.find((entry) => entry.port === port);
    if (known) return known;
    const ids = idsOf(port);
    const lost = lostBoard(ids);
    if (lost) {
      lost.port = port;
      return lost;
    }
    const plugged = new Set<() => void>();
    const unplugged = new Set<() => void>();
    const info: LinkInfo = { kind: backend.kind, title: usbTitle(ids.usbVendorId, ids.usbProductId), ...ids };
    const source: PortSource = {
      info,
      find: async () => {
        if (!entry.port) await refresh();
        return entry.port;
      },
      onUnplugged: (_port, listener) => subscribe(unplugged, listener),
      onPlugged: (listener) => subscribe(plugged, listener),
      async place(port) {
        const same = (await backend.ports()).filter((other) => {
          const { usbVendorId, usbProductId } = idsOf(other);
          return usbVendorId === ids.usbVendorId && usbProductId === ids.usbProductId;
        });
        return { twin: Math.max(0, same.indexOf(port)), twins: Math.max(1, same.length) };
      },
      onMoved: (listener) => subscribe(changed, listener),
    };
    const entry: Entry = {
      link: createSerialPortLink(source, timing, claims),
      source,
      port,
      plugged,
      unplugged,
      ...ids,
    };
    entries.push(entry);
    return entry;
  }

  /**
   * The unplugged board that a new port with these ids must be: the only one that is missing. With two of the same
   * kind missing nobody can say which came back, so neither is taken. Ports without ids are never guessed.
   */
  function lostBoard(ids: ReturnType<typeof idsOf>): Entry | null {
    if (ids.usbVendorId === null) return null;
    const missing = entries.filter(
      (entry) => !entry.port && entry.usbVendorId === ids.usbVendorId && entry.usbProductId === ids.usbProductId,
    );
    return missing.length === 1 ? (missing[0] ?? null) : null;
  }

  /** Looks again at what is plugged in, for platforms and moments where an event was missed. */
  async function refresh(): Promise<void> {
    const ports = await backend.ports();
    for (const entry of entries) if (entry.port && !ports.includes(entry.port)) entry.port = null;
    for (const port of ports) entryOf(port);
  }

  backend.onPlugged((port) => {
    const before = port ? entries.find((entry) => entry.port === port) : undefined;
    const arrive = (entry: Entry): void => {
      for (const listener of [...entry.plugged]) listener();
    };
    if (port) {
      // Some platforms keep the port object of a board that comes back.
      const entry = before ?? entryOf(port);
      arrive(entry);
      tellChange();
      return;
    }
    const missing = entries.filter((entry) => !entry.port);
    refresh()
      .then(() => {
        for (const entry of missing) if (entry.port) arrive(entry);
        tellChange();
      })
      .catch(() => tellChange());
  });

  backend.onUnplugged((port) => {
    const entry = entries.find((candidate) => candidate.port === port);
    if (entry) {
      entry.port = null;
      for (const listener of [...entry.unplugged]) listener();
    }
    tellChange();
  });

  function tellChange(): void {
    for (const listener of [...changed]) listener();
  }

  return {
    kind: backend.kind,

    async request(filters = []) {
      let port: SerialPortLike;
      try {
        port = await backend.request(filters);
      } catch (error) {
        throw chooserError(error);
      }
      const wasLost = !entries.some((entry) => entry.port === port);
      const entry = entryOf(port);
      // Without a serial number the permission ends with the cable, and choosing again is the way back.
      if (wasLost) for (const listener of [...entry.plugged]) listener();
      return entry.link;
    },

    async remembered() {
      await refresh();
      return entries.filter((entry) => entry.port).map((entry) => entry.link);
    },

    async forget(link) {
      const index = entries.findIndex((entry) => entry.link === link);
      const [entry] = index < 0 ? [] : entries.splice(index, 1);
      await link.close();
      await entry?.port?.forget?.();
      tellChange();
    },

    onChange: (listener) => subscribe(changed, listener),
  };
}

function subscribe(set: Set<() => void>, listener: () => void): Cancel {
  // A wrapper, so that one function may listen twice.
  const mine = (): void => listener();
  set.add(mine);
  return () => set.delete(mine);
}

function chooserError(thrown: unknown): LinkError {
  const cause = asError(thrown);
  switch (errorName(thrown)) {
    case 'NotFoundError':
      return new LinkError(
        'chooser-cancelled',
        'No board was chosen. If it was not in the list: use a cable that carries data, press its reset button, or install its driver (CP210x, CH34x).',
        { cause },
      );
    case 'SecurityError':
    case 'NotAllowedError':
      return new LinkError(
        'permission-blocked',
        'The browser does not let this page use boards. Allow serial devices in the page’s settings, or ask whoever manages this computer.',
        { cause },
      );
    default:
      return new LinkError('open-failed', `The browser could not show its list of boards: ${cause.message}`, { cause });
  }
}
