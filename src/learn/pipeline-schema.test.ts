import { describe, expect, it } from 'vitest';
import { pipelineForInput } from './default-pipeline';
import { LearnError } from './pipeline';
import { checkPipeline, parsePipeline } from './pipeline-schema';

const channels = ['x', 'y', 'z'].map((name) => ({ name, unit: 'm/s2' }));
const good = pipelineForInput({ channels, rateHz: 100, windowMs: 1000, strideMs: 250 });

/** The good pipeline with one entry changed; `undefined` leaves it out. */
function changed(path: (string | number)[], value: unknown): unknown {
  const copy = structuredClone(good) as unknown as Record<string | number, unknown>;
  let at = copy;
  for (const key of path.slice(0, -1)) at = at[key] as Record<string | number, unknown>;
  const last = path.at(-1)!;
  if (value === undefined) delete at[last];
  else at[last] = value;
  return copy;
}

describe('checkPipeline', () => {
  it('accepts a good pipeline and returns it unchanged', () => {
    expect(checkPipeline(good)).toEqual(good);
    expect(parsePipeline(JSON.stringify(good))).toEqual(good);
  });

  it.each<[string, unknown, string]>([
    ['another version', changed(['version'], 2), '"version" must be 1'],
    ['a missing part', changed(['training'], undefined), '"training" is missing'],
    ['a missing number', changed(['training', 'epochs'], undefined), '"training.epochs" is missing'],
    ['an unknown setting', changed(['training', 'speed'], 3), '"training.speed" is not a known setting'],
    ['a fraction', changed(['training', 'epochs'], 1.5), '"training.epochs" must be a whole number'],
    ['a huge number', changed(['training', 'epochs'], 1e9), '"training.epochs" must be at most 10000'],
    ['text for a number', changed(['input', 'rateHz'], 'fast'), '"input.rateHz" must be a number'],
    ['not a number', changed(['input', 'rateHz'], NaN), '"input.rateHz"'],
    ['no channels', changed(['input', 'channels'], []), '"input.channels" must have at least one channel'],
    ['no blocks', changed(['blocks'], []), '"blocks" must have at least one block'],
    ['an unknown block', changed(['blocks', 0, 'kind'], 'mfcc'), '"blocks[0].kind" must be "raw", "flatten" or'],
    ['an odd FFT', changed(['blocks', 0, 'params', 'fftLength'], 24), '"blocks[0].params.fftLength" must be a power'],
    ['a channel too many', changed(['blocks', 0, 'channels'], [0, 3]), 'blocks[0].channels names channel 3'],
    ['a giant layer', changed(['network', 'layers', 0, 'units'], 1e6), '"network.layers[0].units" must be at most'],
    ['full dropout', changed(['network', 'layers', 1, 'rate'], 1), '"network.layers[1].rate" must be at most 0.9'],
    ['null', null, 'must be an object'],
    ['a list', [], '"version" is missing'],
  ])('refuses %s and says where', (_, data, message) => {
    expect(() => checkPipeline(data)).toThrow(LearnError);
    expect(() => checkPipeline(data)).toThrow(message);
  });

  it('refuses what is not JSON', () => {
    expect(() => parsePipeline('{')).toThrow(expect.objectContaining({ code: 'bad-pipeline' }));
  });
});
