/**
 * Streams: ops one after another that run a few lines at a time (firmware/mote/src/mote_strips.h), so that the tensors
 * between them never exist as a whole. A line is a row of [H, W, C], or a pixel where there is only one row.
 */
import { elementCount, type TensorId } from '../graph/float-graph';
import { extent } from '../graph/window2d';
import { inputsOf, type Int8FullyConnected, type Int8Graph, type Int8Op } from '../quantize/int8-graph';
import { isPointwise, scratchBytesOf } from './kernel-scratch';
import { layoutFor, type Target } from './target';

/** MOTE_STRIP_STAGES. */
export const MOST_STAGES = 6;
/** Lines that the driver counts. */
const MOST_LINES = 32_767;

/** What is streamed: indices of ops, each of which reads the output of the one before and is its only reader. */
export interface Stream {
  readonly ops: readonly number[];
  /** Lines of the last op's output that are computed in one turn. */
  readonly strip: number;
}

/**
 * One op of a stream, along its lines. A fully connected layer is the last one: it sums over its input, line by line, and
 * has written nothing before the last; its output counts as many lines of no bytes.
 */
export interface Stage {
  readonly columns: boolean;
  readonly stride: number;
  /** Padding before the first line. */
  readonly lead: number;
  /** Lines from the first to the last tap of the window. */
  readonly extent: number;
  readonly inLines: number;
  readonly inPitch: number;
  readonly outLines: number;
  readonly outPitch: number;
  /** The input that the stream is pulled through, and the other one, which is there as a whole. */
  readonly input: TensorId;
  readonly side: TensorId | null;
}

/** Whether the stage sums over its lines. */
export function isSum(stage: Stage): boolean {
  return stage.outPitch === 0;
}

/** Lines of a fully connected layer that are padded to words may have a third more bytes. */
const MOST_PADDED = 4 / 3;

/** A fully connected layer whose inputs are the lines that come from `before`. */
function sumOf(op: Int8FullyConnected, input: TensorId, before: Stage | undefined, target: Target): Stage | null {
  if (!before || isSum(before)) return null;
  const { outLines: inLines, outPitch: inPitch } = before;
  if (op.weights.length !== op.bias.length * inLines * inPitch) return null;
  if (layoutFor(op, target) === 'dsp' && 4 * Math.ceil(inPitch / 4) > MOST_PADDED * inPitch) return null;
  const lines = { inLines, inPitch, outLines: inLines, outPitch: 0 };
  return { ...lines, columns: false, stride: 1, lead: 0, extent: 1, input, side: null };
}

/**
 * How the op is computed line by line when `input` is the tensor that comes in lines; null: it cannot be. `before`: the
 * stage that makes them.
 */
export function stageOf(op: Int8Op, input: TensorId, graph: Int8Graph, target: Target, before?: Stage): Stage | null {
  if (op.kind === 'fullyConnected') return sumOf(op, input, before, target);
  const from = graph.tensors[input]?.shape ?? [];
  const to = graph.tensors[op.output]?.shape ?? [];
  if (from.length !== 3 || to.length !== 3) return null;
  const [inHeight = 0, inWidth = 0, inputs = 0] = from;
  const [outHeight = 0, outWidth = 0, outputs = 0] = to;
  const columns = inHeight === 1 && outHeight === 1;
  const lines = {
    columns,
    inLines: columns ? inWidth : inHeight,
    inPitch: columns ? inputs : inWidth * inputs,
    outLines: columns ? outWidth : outHeight,
    outPitch: columns ? outputs : outWidth * outputs,
    input,
    side: null,
  };
  switch (op.kind) {
    case 'lookup':
      return { ...lines, stride: 1, lead: 0, extent: 1 };
    case 'add': {
      const [first, second] = op.inputs;
      if (first === second) return null;
      const side = first === input ? second : first;
      if (elementCount(graph.tensors[side]?.shape ?? []) !== elementCount(to)) return null;
      return { ...lines, side, stride: 1, lead: 0, extent: 1 };
    }
    case 'conv2d':
    case 'depthwiseConv2d':
    case 'maxPool2d':
    case 'averagePool2d': {
      if (op.kind === 'conv2d' && op.groups > 1) return null;
      const { window } = op;
      const stage = columns
        ? {
            stride: window.strideWidth,
            lead: window.padLeft,
            extent: extent(window.kernelWidth, window.dilationWidth),
          }
        : {
            stride: window.strideHeight,
            lead: window.padTop,
            extent: extent(window.kernelHeight, window.dilationHeight),
          };
      // The rings of depthwise kernels are padded on the left, and have no place for pixels that are skipped there.
      if (columns && op.kind === 'depthwiseConv2d' && stage.stride > stage.extent) return null;
      // A pointwise kernel of the portable layout knows only inputs as many as outputs.
      if (op.kind === 'conv2d' && layoutFor(op, target) === 'plain' && isPointwise(window) && stage.lead > 0)
        return null;
      return { ...lines, ...stage };
    }
    default:
      return null;
  }
}

/** What a stream needs and does, found by going through it. */
export interface StreamRun {
  /** Per stage: most lines of its input that its buffer holds; 0 for the first. */
  readonly lines: readonly number[];
  /** Most lines that one call of the stage computes. */
  readonly calls: readonly { readonly most: number; readonly count: number }[];
  /** Bytes moved to the front of buffers. */
  readonly moved: number;
  /** Overlap of the output with the input of the first stage, and with the side input of each: see `overlapDistance`. */
  readonly inputDistance: number;
  readonly sideDistances: readonly number[];
}

/** Follows `mote_run_strips`. */
export function runStream(stages: readonly Stage[], strip: number): StreamRun {
  const count = stages.length;
  const zeros = (): number[] => new Array<number>(count + 1).fill(0);
  const [made, ends, start, lines, most, calls] = [zeros(), zeros(), zeros(), zeros(), zeros(), zeros()];
  const at = (values: readonly number[], index: number): number => values[index] as number;
  const clip = (value: number, low: number, high: number): number => Math.max(low, Math.min(value, high));
  const last = stages[count - 1] as Stage;
  const sideDistances = stages.map((_, k) => (k === count - 1 ? 0 : -Infinity));
  let inputDistance = -Infinity;
  let moved = 0;
  while (at(made, count) < last.outLines) {
    ends[count] = clip(at(made, count) + strip, 0, last.outLines);
    for (let k = count - 1; k >= 0; k--) {
      const { stride, lead, extent: reach, inLines } = stages[k] as Stage;
      ends[k] = clip((at(ends, k + 1) - 1) * stride - lead + reach, at(made, k), inLines);
    }
    const [first] = stages as readonly [Stage];
    start[0] = clip(at(made, 1) * first.stride - first.lead, 0, at(ends, 0));
    // What was written before this turn must leave alone what is read in it.
    if (at(made, count) > 0 && !isSum(last)) {
      const written = at(made, count) * last.outPitch;
      inputDistance = Math.max(inputDistance, written - at(start, 0) * first.inPitch);
      stages.forEach((stage, k) => {
        if (k === count - 1) return;
        sideDistances[k] = Math.max(sideDistances[k] as number, written - at(made, k + 1) * stage.outPitch);
      });
    }
    made[0] = at(ends, 0);
    for (let k = 0; k < count; k++) {
      const stage = stages[k] as Stage;
      if (at(ends, k + 1) > at(made, k + 1)) {
        most[k] = Math.max(at(most, k), at(ends, k + 1) - at(made, k + 1));
        calls[k] = at(calls, k) + 1;
        made[k + 1] = at(ends, k + 1);
      }
      if (k + 1 < count) lines[k + 1] = Math.max(at(lines, k + 1), at(made, k + 1) - at(start, k + 1));
      if (k > 0) {
        const next = clip(at(made, k + 1) * stage.stride - stage.lead, 0, at(made, k));
        if (next > at(start, k)) {
          moved += (at(made, k) - next) * stage.inPitch;
          start[k] = next;
        }
      }
    }
  }
  return {
    lines: lines.slice(0, count),
    calls: stages.map((_, k) => ({ most: at(most, k), count: at(calls, k) })),
    moved,
    inputDistance,
    sideDistances,
  };
}

/** The stages of a stream, or null when its ops do not follow each other line by line. */
export function stagesOf(ops: readonly number[], graph: Int8Graph, target: Target): readonly Stage[] | null {
  if (ops.length < 2 || ops.length > MOST_STAGES) return null;
  const stages: Stage[] = [];
  let sides = 0;
  for (const index of ops) {
    const op = graph.ops[index] as Int8Op;
    const before = stages.at(-1);
    const previous = before ? sourceOf(graph, ops[stages.length - 1] as number) : null;
    const input = before ? inputsOf(op).find((id) => rootOf(graph, id) === previous) : inputsOf(op)[0];
    const stage = input === undefined ? null : stageOf(op, input, graph, target, before);
    if (!stage || (before && (stage.inPitch !== before.outPitch || stage.inLines !== before.outLines))) return null;
    if (stage.inLines > MOST_LINES || stage.outLines > MOST_LINES) return null;
    if (stage.side !== null) sides++;
    stages.push(stage);
  }
  return sides > 1 || stages[0]?.side != null ? null : stages;
}

function sourceOf(graph: Int8Graph, index: number): TensorId {
  return rootOf(graph, (graph.ops[index] as Int8Op).output);
}

/** The tensor whose bytes a chain of reshapes renames. */
export function rootOf(graph: Int8Graph, id: TensorId): TensorId {
  const reshape = graph.ops.find((op) => op.output === id && op.kind === 'reshape');
  return reshape?.kind === 'reshape' ? rootOf(graph, reshape.input) : id;
}

/** Bytes that a stage keeps from turn to turn: a sum for every channel, in whole fours. */
export function stageKeptBytes(op: Int8Op, stage: Stage): number {
  return isSum(stage) && 'bias' in op ? 16 * Math.ceil(op.bias.length / 4) : 0;
}

/** Bytes of scratch of one op when it computes at most `lines` lines at a time. */
export function stageScratchBytes(op: Int8Op, stage: Stage, lines: number, graph: Int8Graph, target: Target): number {
  const [, outWidth = 0] = graph.tensors[op.output]?.shape ?? [];
  const [, , channels = 0] = graph.tensors[stage.input]?.shape ?? [];
  return scratchBytesOf(op, channels, stage.columns ? lines : outWidth, target, outWidth);
}

/** All pairs of op and only reader along which streams can be pulled: for each op the one that follows it, or null. */
export function followers(graph: Int8Graph): readonly (number | null)[] {
  const readers = new Map<TensorId, number[]>();
  graph.ops.forEach((op, index) => {
    if (op.kind === 'reshape') return;
    for (const id of new Set(inputsOf(op).map((input) => rootOf(graph, input)))) {
      readers.set(id, [...(readers.get(id) ?? []), index]);
    }
  });
  const output = rootOf(graph, graph.output);
  return graph.ops.map((op) => {
    const root = rootOf(graph, op.output);
    const [reader, ...others] = readers.get(root) ?? [];
    return op.kind === 'reshape' || root === output || reader === undefined || others.length > 0 ? null : reader;
  });
}
