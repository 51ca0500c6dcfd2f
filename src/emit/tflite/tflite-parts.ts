/** Tensors and operations as a file lists them, before they are a graph. */
import type { ImportOnlyOperator, TfliteOperator } from './tflite-schema';

export interface FileTensor {
  readonly name: string;
  /** As in the file, with the batch. */
  readonly shape: readonly number[];
  readonly type: number;
  readonly data: Uint8Array | null;
  readonly scales: readonly number[];
  readonly zeroPoints: readonly number[];
  readonly axis: number;
}

/** The fields of an operation's options, by slot; what is missing has the default given. */
export interface OperationOptions {
  i8(slot: number, fallback?: number): number;
  i32(slot: number, fallback?: number): number;
  f32(slot: number, fallback?: number): number;
  bool(slot: number): boolean;
}

/** Padding of a window in elements, where SAME and VALID cannot say it. */
export interface WindowPadding {
  readonly top: number;
  readonly bottom: number;
  readonly left: number;
  readonly right: number;
}

/** As in the file: any number of outputs, and kinds that only `simplifyOperations` knows. */
export interface FileOperation {
  readonly index: number;
  readonly name: TfliteOperator | ImportOnlyOperator;
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  readonly options: OperationOptions | null;
  /** Instead of what the options say. */
  readonly padding?: WindowPadding;
}

/** What becomes an op of a graph. */
export interface Operation extends Omit<FileOperation, 'outputs'> {
  readonly name: TfliteOperator;
  readonly output: number;
}
