import { expect, it } from 'vitest';
import { runTestProgram } from './native-program';

it('boots the old or the new model after a power cut at every flash operation of a deploy', () => {
  const said = runTestProgram('slots_test.c', ['mote_slots.c']);
  console.log(said.trim());
  expect([...said.matchAll(/(\d+) cuts, old model \d+, new model \d+, neither 0/g)]).toHaveLength(5);
  expect(said).toContain('fall back: former model runs');
  expect(said).toContain('refusals: as promised');
});
