/** Hash routes: `#/board`. They work from any folder of any static host, and offline. */

/** The stops of the signal path, in the order in which data walks through them. */
export const STATIONS = ['board', 'data', 'features', 'model', 'test', 'deploy', 'live'] as const;
export type StationId = (typeof STATIONS)[number];

/** Pages beside the signal path; each can be opened by its address. */
export const PAGES = ['board-help', 'administrators', 'hardware-test'] as const;
export type PageId = (typeof PAGES)[number];

/** The page of an address: `#/hardware-test`, or `/hardware-test` as long as the hash says nothing else. */
export function pageOf(hash: string, pathname: string): PageId | null {
  const name = hash === '' ? pathname.split('/').filter(Boolean).at(-1) : hash.replace(/^#\/?/, '').split(/[/?]/)[0];
  return PAGES.find((page) => page === name) ?? null;
}

export function stationOf(hash: string): StationId | null {
  const name = hash.replace(/^#\/?/, '').split(/[/?]/)[0];
  return STATIONS.find((station) => station === name) ?? null;
}

export function hrefOf(station: StationId | PageId): string {
  return `#/${station}`;
}

export class Route {
  #station = $state<StationId>('board');
  #page = $state<PageId | null>(null);

  constructor() {
    this.#take();
    addEventListener('hashchange', () => this.#take());
  }

  #take(): void {
    this.#station = stationOf(location.hash) ?? 'board';
    this.#page = pageOf(location.hash, location.pathname);
  }

  /** The page that is shown instead of a station, or null. */
  get page(): PageId | null {
    return this.#page;
  }

  get station(): StationId {
    return this.#station;
  }

  go(station: StationId | PageId): void {
    location.hash = hrefOf(station);
  }
}
