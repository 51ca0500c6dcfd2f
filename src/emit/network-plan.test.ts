import { describe, expect, it } from 'vitest';
import type { Window2d } from '../graph/window2d';
import type { Int8Graph, Int8Op, Int8Tensor } from '../quantize/int8-graph';
import { planNetwork } from './network-plan';
import { overlapDistance } from './overlap';
import { runStream } from './stream';

const tensor = (...shape: number[]): Int8Tensor => ({ name: `t${shape.join('x')}`, shape, scale: 0.5, zeroPoint: 0 });

function window(kernel: number, stride: number, pad = 0): Window2d {
  return {
    kernelHeight: kernel,
    kernelWidth: kernel,
    strideHeight: stride,
    strideWidth: stride,
    dilationHeight: 1,
    dilationWidth: 1,
    padTop: pad,
    padLeft: pad,
    padBottom: pad,
    padRight: pad,
  };
}

function conv(input: number, output: number, inputs: number, outputs: number, kernel: number, pad = 0): Int8Op {
  return {
    kind: 'conv2d',
    input,
    output,
    window: window(kernel, 1, pad),
    groups: 1,
    weights: new Int8Array(outputs * kernel * kernel * inputs).fill(1),
    bias: new Int32Array(outputs),
    weightScale: Float32Array.of(0.5),
    multiplier: Int32Array.of(2 ** 30),
    shift: Int32Array.of(-8),
    actMin: -128,
    actMax: 127,
  };
}

function pool(input: number, output: number, of: Window2d): Int8Op {
  return { kind: 'maxPool2d', input, output, window: of, actMin: -128, actMax: 127 };
}

describe('planNetwork', () => {
  it('does not keep a large input alive for the small output that was computed over it', () => {
    // 8x8x16 -> pool -> 4x4x16 -> 1x1 -> 4x4x32: the pool needs 1024 bytes, the layer after it 256 + 512.
    const graph: Int8Graph = {
      tensors: [tensor(8, 8, 4), tensor(8, 8, 16), tensor(4, 4, 16), tensor(4, 4, 32), tensor(32)],
      ops: [
        conv(0, 1, 4, 16, 1),
        pool(1, 2, window(2, 2)),
        conv(2, 3, 16, 32, 1),
        { kind: 'mean', input: 3, output: 4, outer: 1, count: 16, inner: 32, multiplier: 2 ** 30, shift: -3 },
      ],
      input: 0,
      output: 4,
    };
    const plan = planNetwork(graph, 'generic', []);
    expect(plan.arenaBytes).toBe(1024);
    expect(plan.lowerBoundBytes).toBe(1024);
    expect(plan.provenBest).toBe(true);
  });

  it('lets portable convolutions follow behind their reads, a pixel below', () => {
    const graph: Int8Graph = {
      tensors: [tensor(10, 10, 8), tensor(10, 10, 8), tensor(10, 10, 8), tensor(8)],
      ops: [
        conv(0, 1, 8, 8, 1),
        conv(1, 2, 8, 8, 1),
        { kind: 'mean', input: 2, output: 3, outer: 1, count: 100, inner: 8, multiplier: 2 ** 30, shift: -6 },
      ],
      input: 0,
      output: 3,
    };
    const plan = planNetwork(graph, 'generic', []);
    expect(plan.arenaBytes).toBe(808);
    expect(plan.places[1]).toEqual({ in: 'arena', offset: 8 });
    expect(plan.places[2]).toEqual({ in: 'arena', offset: 0 });
  });

  it("keeps what is gone before the output is written in the output's buffer", () => {
    const dense = (input: number, output: number, inputs: number, units: number): Int8Op => ({
      kind: 'fullyConnected',
      input,
      output,
      weights: new Int8Array(inputs * units),
      bias: new Int32Array(units),
      weightScale: Float32Array.of(1),
      multiplier: Int32Array.of(2 ** 30),
      shift: Int32Array.of(-8),
      actMin: -128,
      actMax: 127,
    });
    const graph: Int8Graph = {
      tensors: [tensor(100), tensor(40), tensor(32), tensor(24), tensor(100)],
      ops: [dense(0, 1, 100, 40), dense(1, 2, 40, 32), dense(2, 3, 32, 24), dense(3, 4, 24, 100)],
      input: 0,
      output: 4,
    };
    const plan = planNetwork(graph, 'generic');
    expect(plan.places.slice(1)).toEqual([
      { in: 'output', offset: 0 },
      { in: 'output', offset: 40 },
      { in: 'arena', offset: 0 },
      { in: 'output', offset: 0 },
    ]);
    expect(plan.arenaBytes).toBe(24);
  });

  it("leaves the caller's input alone", () => {
    const graph: Int8Graph = {
      tensors: [tensor(8, 8, 4), tensor(4, 4, 4), tensor(2, 2, 4)],
      ops: [pool(0, 1, window(2, 2)), pool(1, 2, window(2, 2))],
      input: 0,
      output: 2,
    };
    expect(planNetwork(graph, 'generic').places).toEqual([
      { in: 'input', offset: 0 },
      { in: 'arena', offset: 0 },
      { in: 'output', offset: 0 },
    ]);
  });
});

describe('streams', () => {
  // 32x32x1 -> 3x3 -> 32x32x8 -> pool -> 16x16x8 -> mean: whole, the convolution needs 8 KB.
  const graph: Int8Graph = {
    tensors: [tensor(32, 32, 1), tensor(32, 32, 8), tensor(16, 16, 8), tensor(8)],
    ops: [
      conv(0, 1, 1, 8, 3, 1),
      pool(1, 2, window(2, 2)),
      { kind: 'mean', input: 2, output: 3, outer: 1, count: 256, inner: 8, multiplier: 2 ** 30, shift: -7 },
    ],
    input: 0,
    output: 3,
  };

  it('keep a tensor from existing as a whole where that is the peak', () => {
    expect(planNetwork(graph, 'generic', []).arenaBytes).toBe(8192 + 12);
    const plan = planNetwork(graph, 'generic');
    // The pooled tensor, two rows of the other, a patch.
    expect(plan.arenaBytes).toBe(2048 + 2 * 256 + 12);
    expect(plan.streams.map(({ ops, strip }) => ({ ops, strip }))).toEqual([{ ops: [0, 1], strip: 1 }]);
    expect(plan.places[1]).toBeNull();
  });

  it('are not used where the arena is small anyway, nor on AVR', () => {
    const small: Int8Graph = {
      ...graph,
      tensors: [tensor(8, 8, 1), tensor(8, 8, 8), tensor(4, 4, 8), tensor(8)],
      ops: graph.ops.map((op) => (op.kind === 'mean' ? { ...op, count: 16 } : op)),
    };
    expect(planNetwork(small, 'generic').streams).toEqual([]);
    expect(planNetwork(graph, 'avr').streams).toEqual([]);
  });

  it('end in a fully connected layer, which sums over the lines as they come', () => {
    const flat: Int8Graph = {
      tensors: [tensor(32, 32, 1), tensor(32, 32, 8), tensor(8192), tensor(5)],
      ops: [
        conv(0, 1, 1, 8, 3, 1),
        { kind: 'reshape', input: 1, output: 2 },
        {
          ...{ kind: 'fullyConnected', input: 2, output: 3, weights: new Int8Array(5 * 8192), bias: new Int32Array(5) },
          ...{ weightScale: Float32Array.of(0.5), multiplier: Int32Array.of(2 ** 30), shift: Int32Array.of(-8) },
          ...{ actMin: -128, actMax: 127 },
        },
      ],
      input: 0,
      output: 3,
    };
    const plan = planNetwork(flat, 'generic');
    expect(plan.streams.map(({ ops, strip }) => ({ ops, strip }))).toEqual([{ ops: [0, 2], strip: 1 }]);
    // A row, a patch, and the sums of five units in whole fours, which must not share the patch's place.
    expect(plan.arenaBytes).toBe(256 + 12 + 32);
    expect(plan.scratchOffsets[2]).not.toBe(plan.scratchOffsets[0]);
  });

  it('say how far the output may follow behind the input', () => {
    // Rows of 4 bytes; a row is written when the turn after next still needs the row before it.
    const stage = { columns: false, inPitch: 4, outPitch: 4, inLines: 6, outLines: 6, input: 0, side: null };
    const three = { ...stage, stride: 1, lead: 1, extent: 3 };
    expect(runStream([three, three], 1).inputDistance).toBe(0);
    expect(runStream([three, three], 1).lines).toEqual([0, 3]);
    const one = { ...stage, stride: 1, lead: 0, extent: 1 };
    expect(runStream([three, one], 1).inputDistance).toBe(4);
    expect(runStream([three, one], 1).lines).toEqual([0, 1]);
    // Sums are written when everything has been read.
    expect(runStream([three, { ...one, outPitch: 0 }], 1).inputDistance).toBe(-Infinity);
  });
});

describe('overlapDistance', () => {
  const distance = (op: Int8Op, ...shapes: number[][]): number | null =>
    overlapDistance(
      op,
      0,
      { tensors: shapes.map((shape) => tensor(...shape)), ops: [op], input: 0, output: 1 },
      'generic',
    );

  it('follows from the order in which kernels read and write', () => {
    // Padding below and to the right delays no read; above and left, outputs run ahead of the window.
    expect(distance(pool(0, 1, { ...window(2, 2), padBottom: 1, padRight: 1 }), [5, 5, 3], [3, 3, 3])).toBe(0);
    expect(distance(pool(0, 1, window(3, 1, 1)), [5, 5, 3], [5, 5, 3])).toBe(18);
    expect(distance(conv(0, 1, 4, 6, 1), [3, 3, 4], [3, 3, 6])).toBe(22);
    // Patches are copied: pixel (1, 0) is written when row 0 is still needed from its first pixel on.
    expect(distance(conv(0, 1, 2, 2, 3, 1), [4, 4, 2], [4, 4, 2])).toBe(10);
  });

  it('is none for an operand that repeats, and zero for one that does not', () => {
    const op: Int8Op = {
      kind: 'mul',
      inputs: [2, 0],
      output: 1,
      multiplier: 2 ** 30,
      shift: -7,
      actMin: -128,
      actMax: 127,
    };
    expect(distance(op, [4], [3, 4], [3, 4])).toBeNull();
    expect(distance(op, [3, 4], [3, 4], [3, 4])).toBe(0);
  });
});
