/** What a pipeline's blocks cost on a board: memory exactly, arithmetic roughly. */
import { windowFrames, type CompiledBlock, type InputSpec } from '../../../dsp/block';

export interface BlocksCost {
  /** Bytes of the ring that holds one window. */
  readonly windowBytes: number;
  readonly featureBytes: number;
  /** Bytes of scratch memory: what the hungriest block needs. */
  readonly workBytes: number;
  /** Multiplications per window, an estimate. */
  readonly multiplications: number;
}

/** Multiplications of each statistic's passes over the samples: mean, and powers 2 to 4 of the deviation. */
const STATISTICS_PASSES = 6;
const SECTION_MULTIPLICATIONS = 5;

function multiplications(block: CompiledBlock, frames: number): number {
  const axes = block.channels.length;
  switch (block.kind) {
    case 'raw':
      return frames * axes;
    case 'flatten':
      return frames * axes * STATISTICS_PASSES;
    case 'spectral': {
      const [log2 = 4, flags = 0, sections = 0, , , , , decimation = 1] = block.ints;
      const length = 2 ** log2;
      const samples = Math.ceil(frames / decimation);
      const step = (flags & 2) !== 0 ? length / 2 : length;
      // A real FFT of N points is a complex one of N/2: N/4 log2(N/2) butterflies of 4 multiplications, and N to unpack.
      const perFrame = length * (log2 - 1) + 2 * length;
      const decimating = decimation > 1 ? frames * 4 * SECTION_MULTIPLICATIONS : 0;
      const filtering = samples * sections * SECTION_MULTIPLICATIONS;
      const once = samples * STATISTICS_PASSES + filtering + Math.ceil(samples / step) * perFrame;
      return axes * (decimating + once);
    }
  }
}

export function blocksCost(blocks: readonly CompiledBlock[], input: InputSpec): BlocksCost {
  const frames = windowFrames(input);
  return {
    windowBytes: 4 * frames * input.channels.length,
    featureBytes: 4 * blocks.reduce((sum, block) => sum + block.featureCount, 0),
    workBytes: 4 * Math.max(0, ...blocks.map((block) => block.scratchFloats)),
    multiplications: blocks.reduce((sum, block) => sum + multiplications(block, frames), 0),
  };
}
