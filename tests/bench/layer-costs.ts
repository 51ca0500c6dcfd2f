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

/**
 * Cycles of CMSIS-NN's kernels on a core, per product or per output, where no measured figure of the whole network exists.
 * Derived from measured networks of TensorFlow Lite Micro with CMSIS-NN (same cost model, QEMU): of DS-CNN's 9.19 M cycles on
 * M4 55 % are 2.05 M products of 1 x 1, 29 % 288 k depthwise ones, 12 % 320 k of the first layer; the autoencoder takes 724 k
 * for 264 k products; ResNet-8 8 % of 36.5 M for 28,672 sums. M0+: 49 % and 17 % of 39.8 M, first layer and sums scaled alike.
 */
const PEER = {
  m4: { pointwise: 2.46, conv: 3.4, depthwise: 9.2, fullyConnected: 2.74, sum: 100, output: 30, call: 500 },
  m0plus: { pointwise: 12, conv: 14, depthwise: 33, fullyConnected: 8.9, sum: 300, output: 100, call: 500 },
} as const;

/** What TensorFlow Lite Micro with CMSIS-NN is estimated to take for a network. */
export function peerCycles(graph: Int8Graph, core: keyof typeof PEER): number {
  const costs = PEER[core];
  return graph.ops.reduce((sum, op) => sum + costs.call + opCycles(op, graph, costs), 0);
}

function opCycles(op: Int8Op, graph: Int8Graph, costs: (typeof PEER)[keyof typeof PEER]): number {
  const outputs = elementCount(graph.tensors[op.output]?.shape ?? []);
  const products = multiplyAdds(op, graph);
  switch (op.kind) {
    case 'conv2d':
      return products * (op.window.kernelHeight * op.window.kernelWidth === 1 ? costs.pointwise : costs.conv);
    case 'depthwiseConv2d':
      // With a multiplier it is not the fast kernel for 3 x 3, but as fast as a convolution at best.
      return products * (op.depthMultiplier > 1 ? costs.conv : costs.depthwise);
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
