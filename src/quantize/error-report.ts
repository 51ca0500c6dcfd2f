/** How far the int8 network is from the float one, layer by layer: plain data for a table and a drawing. */
import { elementCount, type FloatGraph, type TensorId } from '../graph/float-graph';
import { createFloatInterpreter } from '../graph/run-float';
import { QuantizeError, type Int8Op, type Int8Tensor } from './int8-graph';
import type { Int16Op, Int16WeightedOp, IntegerGraph, TypedIntegers } from './int16-graph';
import { createIntegerNetwork } from './integer-network';
import type { MixedGraph, MixedTensor } from './mixed-graph';
import { createMixedInterpreter } from './mixed-interpreter';
import type { WeightedOp } from './ops/folded-bias';
import { dequantize, quantizeValues } from './quantize-values';
import { runSteps, type Steps } from './steps';
import { isInt8Weighted, weightUnit } from './value-ranges';

export interface LayerError {
  /** Name of the op's output. */
  readonly name: string;
  readonly kind: Int8Op['kind'] | Int16Op['kind'];
  readonly shape: readonly number[];
  readonly scale: number;
  readonly zeroPoint: number;
  /** Signal to quantization noise, decibels: 10 log10(sum x^2 / sum error^2). Infinity without error, NaN without signal. */
  readonly sqnrDb: number;
  /** Largest and mean |int8 - float| and mean of int8 - float (the bias), real values. */
  readonly maxError: number;
  readonly meanAbsoluteError: number;
  readonly meanError: number;
  /** Share of values (0..1) outside what the tensor's integers can hold, by more than half a step. */
  readonly clipped: number;
  /** Largest over smallest weight scale of the units of a layer; 1 with a single scale, null without weights. */
  readonly weightScaleSpread: number | null;
}

export interface QuantizationReport {
  /** The network's input first, then every op that has a float counterpart, in execution order. */
  readonly input: Omit<LayerError, 'kind' | 'weightScaleSpread'>;
  readonly layers: readonly LayerError[];
  readonly inputs: number;
  /** Share of inputs (0..1) for which both networks have their largest output at the same place. */
  readonly argmaxAgreement: number;
  /** Index in `layers` of the lowest SQNR; null without a finite one. */
  readonly weakest: number | null;
}

/**
 * Runs both networks on `inputs` (real network inputs; not those that calibrated, for an honest figure).
 * `float` must be the network that was quantized (`Quantization.float`), before dead channels were removed: its tensors
 * and those of `int8` are compared by id. Throws QuantizeError `bad-input` when they do not match or without inputs.
 */
export function quantizationReport(
  float: FloatGraph,
  int8: IntegerGraph,
  inputs: Iterable<Float32Array>,
): QuantizationReport {
  return runSteps(quantizationReportInSteps(float, int8, inputs));
}

/** As `quantizationReport`, step by step: one for each of the inputs. */
export function* quantizationReportInSteps(
  float: FloatGraph,
  int8: IntegerGraph,
  inputs: Iterable<Float32Array>,
): Steps<QuantizationReport> {
  const matches = (id: TensorId): boolean => {
    const theirs = float.tensors[id];
    const ours = int8.tensors[id];
    return theirs !== undefined && ours !== undefined && elementCount(theirs.shape) === elementCount(ours.shape);
  };
  if (float.input !== int8.input || float.output !== int8.output || !float.tensors.every((_, id) => matches(id))) {
    throw new QuantizeError(
      'bad-input',
      'These two networks do not belong together: compare the int8 network with the float network it was made from.',
    );
  }
  const reference = createFloatInterpreter(float);
  const network = createIntegerNetwork(int8);
  const meters = float.tensors.map(
    (_, id) => new ErrorMeter(int8.tensors[id] as MeasuredTensor, network.lowest, network.highest),
  );
  let count = 0;
  let agreed = 0;
  for (const input of inputs) {
    const expected = reference.run(input);
    const actual = network.run(input);
    if (largest(expected) === largest(actual)) agreed++;
    count++;
    meters.forEach((meter, id) =>
      meter.add(reference.activations[id] as Float32Array, network.activations[id] as TypedIntegers),
    );
    yield 'comparison';
  }
  if (count === 0) throw new QuantizeError('bad-input', 'A report of the quantization error needs inputs.');
  const written = new Set(float.ops.map((op) => op.output));
  const ops: readonly (Int8Op | Int16Op)[] = int8.ops;
  const layers = ops
    .filter((op) => written.has(op.output))
    .map((op): LayerError => ({
      kind: op.kind,
      weightScaleSpread: 'weightScale' in op ? spread(op) : null,
      ...(meters[op.output] as ErrorMeter).figures(),
    }));
  return {
    input: (meters[int8.input] as ErrorMeter).figures(),
    layers,
    inputs: count,
    argmaxAgreement: agreed / count,
    weakest: weakest(layers),
  };
}

/**
 * The same for a network with float layers: its int8 layers and the agreement of the results. `float` and `mixed` must be
 * of one `quantizeMixed`. Throws QuantizeError `bad-input` without inputs.
 */
export function mixedQuantizationReport(
  float: FloatGraph,
  mixed: MixedGraph,
  inputs: Iterable<Float32Array>,
): Omit<QuantizationReport, 'input'> {
  return runSteps(mixedReportInSteps(float, mixed, inputs));
}

/** As `mixedQuantizationReport`, step by step: one for each of the inputs. */
export function* mixedReportInSteps(
  float: FloatGraph,
  mixed: MixedGraph,
  inputs: Iterable<Float32Array>,
): Steps<Omit<QuantizationReport, 'input'>> {
  const reference = createFloatInterpreter(float);
  const network = createMixedInterpreter(mixed);
  const inputTensor = mixed.tensors[mixed.input] as MixedTensor;
  const meters = float.tensors.map((_, id) => {
    const tensor = mixed.tensors[id] as MixedTensor;
    return tensor.type === 'int8' ? new ErrorMeter(tensor, -128, 127) : null;
  });
  let [count, agreed] = [0, 0];
  for (const input of inputs) {
    const expected = reference.run(input);
    const actual = network.run(inputTensor.type === 'int8' ? quantizeValues(input, inputTensor) : input);
    if (largest(expected) === largest(actual)) agreed++;
    count++;
    meters.forEach((meter, id) =>
      meter?.add(reference.activations[id] as Float32Array, network.activations[id] as Int8Array),
    );
    yield 'comparison';
  }
  if (count === 0) throw new QuantizeError('bad-input', 'A report of the quantization error needs inputs.');
  const layers = mixed.ops.flatMap(({ type, op }): LayerError[] => {
    const meter = meters[op.output];
    if (type !== 'int8' || !meter) return [];
    return [{ kind: op.kind, weightScaleSpread: isInt8Weighted(op) ? spread(op) : null, ...meter.figures() }];
  });
  return { layers, inputs: count, argmaxAgreement: agreed / count, weakest: weakest(layers) };
}

type MeasuredTensor = Pick<Int8Tensor, 'name' | 'shape' | 'scale' | 'zeroPoint'>;

class ErrorMeter {
  private signal = 0;
  private noise = 0;
  private sum = 0;
  private absolute = 0;
  private max = 0;
  private outside = 0;
  private count = 0;

  constructor(
    private readonly tensor: MeasuredTensor,
    private readonly lowest: number,
    private readonly highest: number,
  ) {}

  add(float: Float32Array, integers: TypedIntegers): void {
    const { scale } = this.tensor;
    const lowest = dequantize(this.lowest, this.tensor) - scale / 2;
    const highest = dequantize(this.highest, this.tensor) + scale / 2;
    for (let i = 0; i < float.length; i++) {
      const value = float[i] as number;
      const error = dequantize(integers[i] as number, this.tensor) - value;
      this.signal += value * value;
      this.noise += error * error;
      this.sum += error;
      this.absolute += Math.abs(error);
      this.max = Math.max(this.max, Math.abs(error));
      if (value < lowest || value > highest) this.outside++;
    }
    this.count += float.length;
  }

  figures(): QuantizationReport['input'] {
    const { name, shape, scale, zeroPoint } = this.tensor;
    return {
      name,
      shape,
      scale,
      zeroPoint,
      sqnrDb: 10 * Math.log10(this.signal / this.noise),
      maxError: this.max,
      meanAbsoluteError: this.absolute / this.count,
      meanError: this.sum / this.count,
      clipped: this.outside / this.count,
    };
  }
}

/** Units without weights have an arbitrary scale and do not count. */
function spread(op: WeightedOp | Int16WeightedOp): number {
  const unitOf = weightUnit(op);
  const used = new Set<number>();
  op.weights.forEach((weight, i) => weight !== 0 && used.add(unitOf(i)));
  const scales = [...op.weightScale].filter((_, unit) => op.weightScale.length === 1 || used.has(unit));
  return scales.length === 0 ? 1 : scales.reduce((a, b) => Math.max(a, b)) / scales.reduce((a, b) => Math.min(a, b));
}

function weakest(layers: readonly LayerError[]): number | null {
  let found: number | null = null;
  layers.forEach(({ sqnrDb }, index) => {
    if (Number.isFinite(sqnrDb) && (found === null || sqnrDb < (layers[found] as LayerError).sqnrDb)) found = index;
  });
  return found;
}

/** Index of the first largest value. */
function largest(values: ArrayLike<number>): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if ((values[i] as number) > (values[best] as number)) best = i;
  return best;
}
