/** Cycles by layer: ours as counted between marks in the emitted code, and what a peer's kernels are known to take. */
import { elementCount } from '../../src/graph/float-graph';
import { inputsOf, type Int8Graph, type Int8Op } from '../../src/quantize/int8-graph';
import { multiplyAdds } from '../../src/emit/network-cost';

/** Statements of `x_invoke` that call a kernel, as text. */
function calls(
  header: string,
  prefix: string,
): { readonly before: string; readonly body: string; readonly after: string } {
  const start = header.indexOf('{', header.indexOf(`int ${prefix}_invoke(`)) + 1;
  const end = header.indexOf('return 0;', start);
  return { before: header.slice(0, start), body: header.slice(start, end), after: header.slice(end) };
}

/** The header of a network with `bench_mark()` (tests/cross/platform.h) after every kernel. */
export function withMarks(header: string, prefix: string): string {
  const { before, body, after } = calls(header, prefix);
  const marked = body.replace(new RegExp(`^ +${prefix}_\\w+\\([^;]*;`, 'gm'), '$& bench_mark();');
  return `void bench_mark(void);\n${before}${marked}${after}`;
}

export interface LayerCost {
  readonly title: string;
  readonly macs: number;
  readonly cycles: number;
}

/** Cycles of every call in the header, by the marks that its marked twin gave; `ops`: of the plan that it was made from. */
export function layersOf(
  header: string,
  prefix: string,
  plan: {
    readonly ops: readonly {
      readonly kind: string;
      readonly inputs: readonly unknown[];
      readonly output: unknown;
      readonly macs: number;
    }[];
    readonly streams: readonly { readonly ops: readonly number[]; readonly strip: number }[];
  },
  marks: readonly number[],
): LayerCost[] {
  const statements = [...calls(header, prefix).body.matchAll(new RegExp(`^ +${prefix}_(\\w+)\\(([^;]*);`, 'gm'))];
  return statements.map(([, name = '', args = ''], index) => {
    const cycles = (marks[index] ?? 0) - (marks[index - 1] ?? 0);
    const id = /_(?:layer|pool|add|mul|stages)_(\d+)\b/.exec(args)?.[1];
    if (id === undefined) return { title: name, macs: 0, cycles };
    const stream = name === 'run_strips' ? plan.streams.find(({ ops }) => ops.at(-1) === Number(id)) : undefined;
    const members = (stream?.ops ?? [Number(id)]).map((op) => plan.ops[op]);
    const [first, last] = [members[0], members.at(-1)];
    const kinds = members.map((op) => op?.kind).join(' + ');
    const strip = stream ? ` by ${stream.strip}` : '';
    return {
      title: `${kinds}${strip} [${String(first?.inputs[0])}] to [${String(last?.output)}]`,
      macs: members.reduce((sum, op) => sum + (op?.macs ?? 0), 0),
      cycles,
    };
  });
}

/** What kernels of CMSIS-NN take on a core, in cycles: sums of products, each with its share of the loop, and the rest. */
interface PeerCosts {
  /** 1 x 1 convolutions, per product and per output. */
  readonly pointwise: readonly [product: number, output: number];
  /** Other convolutions; `gathered`: per input value that is copied together for an output pixel. */
  readonly conv: readonly [product: number, output: number];
  readonly gathered: number;
  /** 3 x 3, of other sizes, and with a multiplier, per product. */
  readonly depthwise: number;
  readonly depthwiseOther: number;
  readonly depthwiseMultiplied: number;
  readonly fullyConnected: number;
  /** Per output of sums and products of two tensors. */
  readonly sum: number;
  /** Per output of everything else. */
  readonly output: number;
  readonly call: number;
}

/**
 * Derived from measured networks of TensorFlow Lite Micro with CMSIS-NN and their profiles (same cost model, QEMU).
 *
 * M4: 1 x 1 convolutions are 55 % of DS-CNN's 9.19 M (2.05 M products, 32 k outputs) and 60 % of MobileNet's 29.1 M (6.19 M,
 * 124 k): two equations. Other convolutions: 79 % of ResNet-8's 36.5 M (12.5 M, 86 k) and 12 % of DS-CNN's (320 k, 8 k), and
 * 9 % of ResNet-8's to gather 495 k values. Depthwise: 29 % of DS-CNN's for 288 k products, 27 % of MobileNet's for 798 k; of
 * other sizes what is left of the streaming wake word's 2.70 M for 40 k. With a multiplier no kernel is faster than DS-CNN's
 * first layer. Fully connected: the autoencoder's 724 k for 264 k. Sums: 8 % of ResNet-8's for 28,672.
 *
 * M0+: 49 % of DS-CNN's 39.8 M for 1 x 1 and 17 % for depthwise, 10 % for 64-bit products by outputs, 14 % for copies, here
 * most of them the depthwise layers'; what gathering takes is left of ResNet-8's 137 M. The autoencoder takes 2.36 M.
 *
 * `npm run bench -- models` prints the estimates of the measured networks beside what was measured.
 */
const PEER: Readonly<Record<'m4' | 'm0plus', PeerCosts>> = {
  m4: {
    pointwise: [1.2, 81],
    conv: [1.91, 57],
    gathered: 6.6,
    depthwise: 9.5,
    depthwiseOther: 26,
    depthwiseMultiplied: 3.4,
    fullyConnected: 2.74,
    sum: 100,
    output: 30,
    call: 500,
  },
  m0plus: {
    pointwise: [8.4, 115],
    conv: [8.4, 115],
    gathered: 28,
    depthwise: 43,
    depthwiseOther: 43,
    depthwiseMultiplied: 14,
    fullyConnected: 8.9,
    sum: 300,
    output: 100,
    call: 500,
  },
};

/** What TensorFlow Lite Micro with CMSIS-NN is estimated to take for a network. */
export function peerCycles(graph: Int8Graph, core: keyof typeof PEER): number {
  const costs = PEER[core];
  return graph.ops.reduce((sum, op) => sum + costs.call + opCycles(op, graph, costs), 0);
}

function opCycles(op: Int8Op, graph: Int8Graph, costs: PeerCosts): number {
  const outputs = elementCount(graph.tensors[op.output]?.shape ?? []);
  const products = multiplyAdds(op, graph);
  switch (op.kind) {
    case 'conv2d': {
      const pointwise = op.window.kernelHeight * op.window.kernelWidth === 1;
      const [product, output] = pointwise ? costs.pointwise : costs.conv;
      const gathered = pointwise ? 0 : (products / op.bias.length) * op.groups;
      return products * product + outputs * output + gathered * costs.gathered;
    }
    case 'depthwiseConv2d': {
      if (op.depthMultiplier > 1) return products * costs.depthwiseMultiplied;
      const { kernelHeight, kernelWidth } = op.window;
      return products * (kernelHeight === 3 && kernelWidth === 3 ? costs.depthwise : costs.depthwiseOther);
    }
    case 'fullyConnected':
      return products * costs.fullyConnected;
    case 'add':
    case 'mul':
      return outputs * costs.sum;
    case 'reshape':
      return 0;
    default:
      return outputs * costs.output;
  }
}

/**
 * Bytes of its arena, estimated: the largest pair of tensors that exist together, 16-byte aligned, and 1 KB and eight bytes a
 * channel of persistent data (arena of ResNet-8: 54,996 for 49,152 of tensors; of DS-CNN: 22,820 for 16,000).
 */
export function peerRam(graph: Int8Graph): number {
  const size = (id: number): number => Math.ceil(elementCount(graph.tensors[id]?.shape ?? []) / 16) * 16;
  let most = 0;
  let channels = 0;
  for (const op of graph.ops) {
    const live = inputsOf(op).filter((id) => !graph.tensors[id]?.data);
    most = Math.max(
      most,
      live.reduce((sum, id) => sum + size(id), size(op.output)),
    );
    if ('bias' in op) channels += op.bias.length;
  }
  return most + 1024 + 8 * channels + 400 * graph.ops.length;
}
