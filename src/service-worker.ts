/// <reference lib="webworker" />
/**
 * Offline in two stages. Stage one (install): everything a first visit shows, precached by Workbox. Stage two (asked for
 * by the page when it is idle): the heavy parts, cached under revisioned keys. No request ever leaves the origin.
 */
import {
  addPlugins,
  cleanupOutdatedCaches,
  createHandlerBoundToURL,
  getCacheKeyForURL,
  precacheAndRoute,
} from 'workbox-precaching';
import { NavigationRoute, registerRoute } from 'workbox-routing';
import type { CacheStatus, ServiceWorkerRequest } from './service-worker-messages';

declare const self: ServiceWorkerGlobalScope;

interface CacheEntry {
  readonly url: string;
  readonly revision: string | null;
}
declare const __SHELL_LIST__: readonly CacheEntry[];
declare const __HEAVY_LIST__: readonly CacheEntry[];

const HEAVY_CACHE = 'mote-heavy';
const POLICY =
  "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data: blob:; " +
  "connect-src 'self'; worker-src 'self'; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** Workers take their policy from their own response, and a static host may send none: so we send it. */
function guarded(response: Response): Response {
  if (response.status === 0 || response.type === 'opaqueredirect') return response;
  const headers = new Headers(response.headers);
  headers.set('Content-Security-Policy', POLICY);
  return new Response(response.body, { status: response.status, statusText: response.statusText, headers });
}

addPlugins([{ handlerWillRespond: ({ response }) => Promise.resolve(guarded(response)) }]);
precacheAndRoute([...__SHELL_LIST__]);
cleanupOutdatedCaches();
registerRoute(new NavigationRoute(createHandlerBoundToURL('index.html')));

/** Heavy files by absolute URL, with the key they are cached under. */
const heavyKeys = new Map(
  __HEAVY_LIST__.map(({ url, revision }) => {
    const absolute = new URL(url, self.registration.scope);
    const key = new URL(absolute);
    if (revision !== null) key.searchParams.set('__mote_revision', revision);
    return [absolute.href, key.href] as const;
  }),
);

registerRoute(
  ({ url }) => heavyKeys.has(withoutQuery(url)),
  async ({ url }) => {
    const plain = withoutQuery(url);
    const key = heavyKeys.get(plain) ?? plain;
    const cache = await caches.open(HEAVY_CACHE);
    const cached = await cache.match(key);
    if (cached) return guarded(cached);
    return guarded(await fetchHeavy(cache, plain, key));
  },
);

function withoutQuery(url: URL): string {
  return url.origin + url.pathname;
}

async function fetchHeavy(cache: Cache, url: string, key: string): Promise<Response> {
  const response = await fetch(url, { cache: 'no-cache', credentials: 'same-origin' });
  if (response.ok) await cache.put(key, response.clone());
  return response;
}

async function cacheHeavy(): Promise<void> {
  const cache = await caches.open(HEAVY_CACHE);
  for (const [url, key] of heavyKeys) {
    if ((await cache.match(key)) === undefined) await fetchHeavy(cache, url, key);
  }
}

/** Drops heavy files of older versions. Runs when this version takes over: no tab of an older one is left busy then. */
async function cleanHeavy(): Promise<void> {
  const cache = await caches.open(HEAVY_CACHE);
  const wanted = new Set(heavyKeys.values());
  for (const request of await cache.keys()) if (!wanted.has(request.url)) await cache.delete(request);
}

/** Looks into the caches, entry by entry: the "ready offline" badge must not guess. */
async function cacheStatus(): Promise<CacheStatus> {
  const missing: string[] = [];
  for (const { url } of __SHELL_LIST__) {
    const key = getCacheKeyForURL(new URL(url, self.registration.scope).href);
    if (key === undefined || (await caches.match(key)) === undefined) missing.push(url);
  }
  const shellMissing = missing.length;
  const cache = await caches.open(HEAVY_CACHE);
  for (const [url, key] of heavyKeys) if ((await cache.match(key)) === undefined) missing.push(url);
  return {
    total: __SHELL_LIST__.length + heavyKeys.size,
    missing: missing.length,
    shellReady: shellMissing === 0,
    ready: missing.length === 0,
  };
}

self.addEventListener('message', (event) => {
  const request = event.data as ServiceWorkerRequest | null;
  switch (request?.type) {
    case 'SKIP_WAITING':
      void self.skipWaiting();
      break;
    case 'CACHE_HEAVY':
      event.waitUntil(
        cacheHeavy()
          .catch(() => undefined)
          .then(cacheStatus)
          .then((status) => event.ports[0]?.postMessage(status)),
      );
      break;
    case 'CACHE_STATUS':
      event.waitUntil(cacheStatus().then((status) => event.ports[0]?.postMessage(status)));
      break;
    default:
      break;
  }
});

// First install only: take control of the page that registered us. An update waits for the prompt.
self.addEventListener('activate', (event) => {
  event.waitUntil(Promise.all([self.clients.claim(), cleanHeavy()]));
});
