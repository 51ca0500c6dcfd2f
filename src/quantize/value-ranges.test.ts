import { describe, expect, it } from 'vitest';
import { elementCount } from '../graph/float-graph';
import { Random } from '../signal/random';
import { createInt8Interpreter } from './interpreter';
import { quantizeGraph } from './quantize-graph';
import { randomInputs, randomNetwork, SampleNetwork } from '../../tests/fixtures/sample-networks';
import { channelRanges } from './value-ranges';

describe('channelRanges', () => {
  it('holds every value that random networks take on random and extreme inputs', () => {
    let narrow = 0;
    for (let seed = 0; seed < 150; seed++) {
      const random = new Random(seed);
      const float = randomNetwork(random);
      const length = elementCount(float.tensors[float.input]!.shape);
      const graph = quantizeGraph(float, randomInputs(random, length, 8));
      const ranges = channelRanges(graph);
      const interpreter = createInt8Interpreter(graph);
      for (let round = 0; round < 8; round++) {
        const extreme = round % 2 === 1;
        interpreter.run(
          Int8Array.from({ length }, () => (extreme ? 255 * random.integer(2) : random.integer(256)) - 128),
        );
        interpreter.activations.forEach((values, id) => {
          const { low, high } = ranges[id]!;
          const outside = values.findIndex((q, i) => q < low[i % low.length]! || q > high[i % low.length]!);
          expect({ seed, id, outside }).toEqual({ seed, id, outside: -1 });
        });
      }
      narrow += ranges.filter(({ low, high }) => low.some((value, c) => high[c]! - value < 200)).length;
    }
    expect(narrow).toBeGreaterThan(100);
  });

  it('is exact for a dense layer', () => {
    const random = new Random(1);
    const n = new SampleNetwork(random, [3]);
    n.dense(0, 5);
    const graph = quantizeGraph(n.build(), randomInputs(random, 3, 20));
    const { low, high } = channelRanges(graph)[1]!;
    const interpreter = createInt8Interpreter(graph);
    const least = new Int8Array(5).fill(127);
    const most = new Int8Array(5).fill(-128);
    for (let corner = 0; corner < 8; corner++) {
      const output = interpreter.run(Int8Array.from({ length: 3 }, (_, i) => ((corner >> i) & 1 ? 127 : -128)));
      output.forEach((value, unit) => {
        least[unit] = Math.min(least[unit]!, value);
        most[unit] = Math.max(most[unit]!, value);
      });
    }
    expect(low).toEqual(least);
    expect(high).toEqual(most);
  });
});
