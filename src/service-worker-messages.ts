/** What the page and the service worker say to each other. Types only. */

/** `SKIP_WAITING` is workbox-window's own word for "take over now". The others answer on the transferred port. */
export type ServiceWorkerRequest =
  { readonly type: 'SKIP_WAITING' } | { readonly type: 'CACHE_HEAVY' } | { readonly type: 'CACHE_STATUS' };

/** The state of the caches, entry by entry. */
export interface CacheStatus {
  /** Number of files the studio needs offline. */
  readonly total: number;
  readonly missing: number;
  /** The first stage is complete: the studio opens offline. */
  readonly shellReady: boolean;
  /** Everything is there: training works offline too. */
  readonly ready: boolean;
}
