/** Whole numbers that converters compute from shapes at run time: with a batch of 1 they are constants. */
import { elementCount } from '../../graph/float-graph';
import type { FileOperation, FileTensor } from './tflite-parts';
import { TFLITE_TYPE } from './tflite-schema';

/** Shapes, axes and paddings are short; what is longer is no such thing. */
const MOST = 64;

/** The values of a constant of int32 or int64; null for anything else, and for what is long or cut short. */
export function integersOf({ type, data, shape }: FileTensor): number[] | null {
  const size = type === TFLITE_TYPE.INT32 ? 4 : type === TFLITE_TYPE.INT64 ? 8 : 0;
  const count = elementCount(shape);
  if (!data || size === 0 || count > MOST || data.length < count * size) return null;
  const view = new DataView(data.buffer, data.byteOffset, count * size);
  return Array.from({ length: count }, (_, i) =>
    size === 4 ? view.getInt32(4 * i, true) : Number(view.getBigInt64(8 * i, true)),
  );
}

/** A constant of int32. */
export function int32Tensor(name: string, shape: readonly number[], values: readonly number[]): FileTensor {
  const data = new Uint8Array(4 * values.length);
  const view = new DataView(data.buffer);
  values.forEach((value, i) => view.setInt32(4 * i, value, true));
  return { name, shape, type: TFLITE_TYPE.INT32, data, scales: [], zeroPoints: [], axis: 0 };
}

/** What an operation gives when all it reads is constant; null where it is no arithmetic on whole numbers. */
export function foldConstant(
  op: FileOperation,
  target: FileTensor,
  inputs: readonly (FileTensor | null)[],
): number[] | null {
  if (target.type !== TFLITE_TYPE.INT32 && target.type !== TFLITE_TYPE.INT64) return null;
  const [first] = inputs;
  if (!first) return null;
  // The shape of anything is known.
  if (op.name === 'SHAPE') return [...first.shape];
  const values = inputs.map((tensor) => tensor && integersOf(tensor));
  if (!values.every((list) => list !== null)) return null;
  const [a = [], b = [], c = [], d = []] = values;
  const each = (combine: (x: number, y: number) => number): number[] | null => {
    const length = Math.max(a.length, b.length);
    if (length === 0 || length % a.length !== 0 || length % b.length !== 0) return null;
    const result = Array.from({ length }, (_, i) => combine(a[i % a.length] as number, b[i % b.length] as number));
    return result.every((value) => Math.abs(value) < 2 ** 31) ? result : null;
  };
  switch (op.name) {
    case 'PACK':
      return inputs.every((tensor) => tensor && tensor.shape.length === 0) ? values.flat() : null;
    case 'CONCATENATION':
      return target.shape.length === 1 ? values.flat() : null;
    case 'RESHAPE':
    case 'SQUEEZE':
    case 'EXPAND_DIMS':
    case 'CAST':
      return a;
    case 'GATHER': {
      const picked = b.map((at) => a[at]);
      return first.shape.length === 1 && picked.every((value) => value !== undefined) ? picked : null;
    }
    case 'REDUCE_PROD': {
      const product = a.reduce((all, value) => all * value, 1);
      return first.shape.length === 1 && Math.abs(product) < 2 ** 31 ? [product] : null;
    }
    case 'STRIDED_SLICE':
      return first.shape.length === 1 ? sliceOf(op, a, b[0], c[0], d[0]) : null;
    case 'ADD':
      return each((x, y) => x + y);
    case 'SUB':
      return each((x, y) => x - y);
    case 'MUL':
      return each((x, y) => x * y);
    default:
      return null;
  }
}

function sliceOf({ options }: FileOperation, list: readonly number[], begin = 0, end = 0, stride = 0): number[] | null {
  if (stride !== 1) return null;
  const clampIndex = (at: number): number => Math.min(list.length, Math.max(0, at < 0 ? at + list.length : at));
  const from = (options?.i32(0) ?? 0) & 1 ? 0 : clampIndex(begin);
  const shrinks = ((options?.i32(4) ?? 0) & 1) !== 0;
  const to = shrinks ? from + 1 : (options?.i32(1) ?? 0) & 1 ? list.length : clampIndex(end);
  return list.slice(from, to);
}
