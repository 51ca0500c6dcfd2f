/**
 * The way from "plug in a board" to a link: native Web Serial where the browser has it, else WebUSB. What the browser
 * offers is passed in.
 */
import { LinkError } from './link';
import type { Link } from './link';
import { createPortCatalog } from './port-catalog';
import { createPortClaims } from './port-claims';
import type { LocksLike, PortClaims } from './port-claims';
import type { PortCatalog, PortFilter } from './port-catalog';
import { systemTiming } from './timing';
import type { Cancel, Timing } from './timing';
import { createWebSerialBackend } from './web-serial-link';
import type { SerialLike } from './web-serial-link';
import { createWebUsbBackend } from './webusb-link';
import type { UsbLike } from './webusb-link';

/** Keep one object per page: links are remembered by it. */
export interface SerialEnvironment extends Timing {
  readonly serial?: SerialLike | undefined;
  readonly usb?: UsbLike | undefined;
  /** What the studio's other tabs have open; null where tabs cannot know of each other. */
  readonly claims?: PortClaims | null;
  /** Forces a backing; by default native is preferred. */
  readonly prefer?: 'web-serial' | 'webusb';
}

/** This browser's own. */
export function browserSerialEnvironment(prefer?: SerialEnvironment['prefer']): SerialEnvironment {
  const { serial, usb } = navigator as { readonly serial?: unknown; readonly usb?: unknown };
  return {
    ...systemTiming,
    serial: serial as SerialLike | undefined,
    usb: usb as UsbLike | undefined,
    claims: browserPortClaims(),
    ...(prefer ? { prefer } : {}),
  };
}

/** Null where the browser (or an insecure page) has no web locks. */
function browserPortClaims(): PortClaims | null {
  const { locks } = navigator as { readonly locks?: unknown };
  if (!locks || typeof BroadcastChannel === 'undefined') return null;
  return createPortClaims({
    locks: locks as LocksLike,
    channel: new BroadcastChannel('mote-ports'),
    timers: systemTiming.timers,
    randomId: () => crypto.randomUUID(),
  });
}

/** The backing that is used here, or null where no board can be reached at all. */
export function serialBacking({ serial, usb, prefer }: SerialEnvironment): 'web-serial' | 'webusb' | null {
  if (prefer === 'webusb' && usb) return 'webusb';
  if (serial) return 'web-serial';
  return usb ? 'webusb' : null;
}

const catalogs = new WeakMap<SerialEnvironment, PortCatalog>();

function catalogOf(environment: SerialEnvironment): PortCatalog | null {
  const known = catalogs.get(environment);
  if (known) return known;
  const backing = serialBacking(environment);
  if (!backing) return null;
  const { serial, usb } = environment;
  const backend =
    backing === 'web-serial' && serial ? createWebSerialBackend(serial) : usb ? createWebUsbBackend(usb) : null;
  if (!backend) return null;
  const catalog = createPortCatalog(backend, environment, environment.claims ?? null);
  catalogs.set(environment, catalog);
  return catalog;
}

/** Asks the user for a board (needs a click). Rejects with LinkError. */
export async function requestSerialLink(
  environment: SerialEnvironment,
  options: { readonly filters?: readonly PortFilter[] } = {},
): Promise<Link> {
  const catalog = catalogOf(environment);
  if (!catalog) {
    throw new LinkError(
      'not-supported',
      'This browser cannot talk to boards. Use Chrome, Edge or Opera, or Firefox 151 or newer, on a computer. The virtual board works everywhere.',
    );
  }
  return catalog.request(options.filters);
}

/** Links to boards that are plugged in and were allowed before; empty where none can be reached. */
export async function rememberedSerialLinks(environment: SerialEnvironment): Promise<Link[]> {
  return (await catalogOf(environment)?.remembered()) ?? [];
}

/** Tells when boards are plugged in or unplugged. */
export function onSerialLinksChange(environment: SerialEnvironment, listener: () => void): Cancel {
  return catalogOf(environment)?.onChange(listener) ?? (() => undefined);
}

/** Gives the permission for this board back to the browser. */
export async function forgetSerialLink(environment: SerialEnvironment, link: Link): Promise<void> {
  await catalogOf(environment)?.forget(link);
}
