/** Hash routes: `#/board`. They work from any folder of any static host, and offline. */

/** The stops of the signal path, in the order in which data walks through them. */
export const STATIONS = ['board', 'data', 'features', 'model', 'test', 'deploy', 'live'] as const;
export type StationId = (typeof STATIONS)[number];

export function stationOf(hash: string): StationId | null {
  const name = hash.replace(/^#\/?/, '').split(/[/?]/)[0];
  return STATIONS.find((station) => station === name) ?? null;
}

export function hrefOf(station: StationId): string {
  return `#/${station}`;
}

export class Route {
  #station = $state<StationId>('board');

  constructor() {
    this.#station = stationOf(location.hash) ?? 'board';
    addEventListener('hashchange', () => (this.#station = stationOf(location.hash) ?? 'board'));
  }

  get station(): StationId {
    return this.#station;
  }

  go(station: StationId): void {
    location.hash = hrefOf(station);
  }
}
