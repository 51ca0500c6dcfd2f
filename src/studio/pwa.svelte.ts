/**
 * Offline state and updates. An update never reloads by itself, and never while any tab records, trains or writes.
 */
import { Workbox } from 'workbox-window';
import type { CacheStatus, ServiceWorkerRequest } from '../service-worker-messages';

/** Held (shared) by every tab while work must not be interrupted; asked for before an update takes over. */
export const BUSY_LOCK = 'mote-busy';

const UPDATE_CHECK_MS = 60 * 60 * 1000;
const STATUS_TIMEOUT_MS = 60_000;

export type OfflineState = 'unsupported' | 'checking' | 'loading' | 'shell' | 'ready' | 'failed';

export interface Pwa {
  /** `shell`: opens offline; `ready`: trains offline too. */
  readonly offline: OfflineState;
  /** Figures behind `offline`, or null before the first look. */
  readonly cache: CacheStatus | null;
  readonly updateReady: boolean;
  /** True when an update was asked for but a tab (this or another) is busy. */
  readonly updateBlocked: boolean;
  readonly error: string | null;
  /** Registers the worker; call once. */
  register(): Promise<void>;
  /** Applies a waiting update unless a tab is busy; then `updateBlocked` is set and nothing happens. */
  applyUpdate(): Promise<void>;
  /** Looks into the caches again. */
  check(): Promise<void>;
}

/** Runs `work` while holding the busy lock, so that no update reloads this tab. Works without Web Locks too. */
export async function whileBusy<T>(work: () => Promise<T>): Promise<T> {
  if (!('locks' in navigator)) return work();
  return navigator.locks.request(BUSY_LOCK, { mode: 'shared' }, work);
}

/** Takes the busy lock until the returned function is called: for work that spans several events. */
export function holdBusy(): () => void {
  let release: () => void = () => {};
  void whileBusy(() => new Promise<void>((resolve) => (release = resolve)));
  let released = false;
  return () => {
    released = true;
    release();
    // The lock may be granted only after this call: let go of it then.
    setTimeout(() => released && release());
  };
}

async function anyTabBusy(): Promise<boolean> {
  if (!('locks' in navigator)) return false;
  const { held = [] } = await navigator.locks.query();
  return held.some((lock) => lock.name === BUSY_LOCK);
}

export function createPwa(serviceWorkerUrl: string): Pwa {
  let offline = $state<OfflineState>('serviceWorker' in navigator ? 'checking' : 'unsupported');
  let cache = $state.raw<CacheStatus | null>(null);
  let updateReady = $state(false);
  let updateBlocked = $state(false);
  let error = $state<string | null>(null);
  let workbox: Workbox | undefined;
  let reloading = false;

  function take(status: CacheStatus): void {
    cache = status;
    offline = status.ready ? 'ready' : status.shellReady ? 'shell' : 'loading';
  }

  async function ask(type: ServiceWorkerRequest['type']): Promise<void> {
    const controller = navigator.serviceWorker.controller;
    if (!controller) return;
    const channel = new MessageChannel();
    const answer = new Promise<CacheStatus>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('the service worker did not answer')), STATUS_TIMEOUT_MS);
      channel.port1.onmessage = (event: MessageEvent<CacheStatus>) => {
        clearTimeout(timer);
        resolve(event.data);
      };
    });
    controller.postMessage({ type } satisfies ServiceWorkerRequest, [channel.port2]);
    try {
      take(await answer);
    } catch (cause) {
      offline = 'failed';
      error = cause instanceof Error ? cause.message : String(cause);
    } finally {
      channel.port1.close();
    }
  }

  async function loadEverything(): Promise<void> {
    await ask('CACHE_STATUS');
    if (cache?.ready) return;
    // The second stage must not compete with the first paint or the first board.
    await new Promise<void>((resolve) =>
      'requestIdleCallback' in window
        ? requestIdleCallback(() => resolve(), { timeout: 4000 })
        : setTimeout(resolve, 500),
    );
    await ask('CACHE_HEAVY');
  }

  return {
    get offline() {
      return offline;
    },
    get cache() {
      return cache;
    },
    get updateReady() {
      return updateReady;
    },
    get updateBlocked() {
      return updateBlocked;
    },
    get error() {
      return error;
    },
    async register() {
      if (!('serviceWorker' in navigator)) return;
      workbox = new Workbox(serviceWorkerUrl);
      // 'waiting' also fires for a worker that was waiting before this page loaded.
      workbox.addEventListener('waiting', () => (updateReady = true));
      workbox.addEventListener('controlling', (event) => {
        if (!event.isUpdate) {
          void loadEverything();
          return;
        }
        // Another tab applied the update; it made sure that nobody was busy at that moment, but work may have begun since.
        void anyTabBusy().then((busy) => {
          if (busy) updateBlocked = true;
          else if (!reloading) {
            reloading = true;
            location.reload();
          }
        });
      });
      try {
        await workbox.register();
      } catch (cause) {
        offline = 'failed';
        error = cause instanceof Error ? cause.message : String(cause);
        return;
      }
      if (navigator.serviceWorker.controller) void loadEverything();
      const look = () => void workbox?.update().catch(() => undefined);
      setInterval(look, UPDATE_CHECK_MS);
      document.addEventListener('visibilitychange', () => document.visibilityState === 'visible' && look());
    },
    async applyUpdate() {
      updateBlocked = await anyTabBusy();
      if (!updateBlocked) workbox?.messageSkipWaiting();
    },
    check: () => ask('CACHE_STATUS'),
  };
}
