import { expect, it } from 'vitest';
import { pageOf, stationOf } from './route.svelte';

it('pages have addresses beside the stations', () => {
  expect(pageOf('#/hardware-test', '/')).toBe('hardware-test');
  expect(pageOf('', '/mote/hardware-test')).toBe('hardware-test');
  expect(pageOf('', '/hardware-test/')).toBe('hardware-test');
  expect(pageOf('#/board', '/hardware-test')).toBeNull();
  expect(pageOf('', '/')).toBeNull();
  expect(stationOf('#/administrators')).toBeNull();
});
