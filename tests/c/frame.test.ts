import { expect, it } from 'vitest';
import { runTestProgram } from './native-program';

it('frames survive the round trip, and nothing else passes for one', () => {
  const said = runTestProgram('frame_test.c', ['mote_frame.c']);
  expect(said).toMatch(/round trips: \d+ frames/);
  expect(said).toMatch(/bit flips: (\d+) of \1 noticed/);
  expect(said).toContain('none lost, none invented');
  expect(said).toContain('bounds: kept');
});
