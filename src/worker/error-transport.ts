/** Errors across the worker boundary: structured clone loses their class and code, this keeps both. */
import { DspError, type DspErrorCode } from '../dsp/block';
import { EmitError, type EmitErrorCode } from '../emit/model';
import { TfliteError, type TfliteErrorCode } from '../emit/tflite/tflite-error';
import { FormatError, type FormatErrorCode } from '../formats/format-error';
import { GraphError, type GraphErrorCode } from '../graph/float-graph';
import { LearnError, type LearnErrorCode } from '../learn/pipeline';
import { QuantizeError, type QuantizeErrorCode } from '../quantize/int8-graph';

export interface PortableError {
  readonly name: string;
  readonly code: string | null;
  readonly message: string;
  readonly stack: string | null;
  readonly cause: PortableError | null;
}

/** Causes nested deeper than this are dropped. */
const MAX_CAUSES = 4;

export function packError(error: unknown, depth = 0): PortableError {
  if (!(error instanceof Error)) {
    return { name: 'Error', code: null, message: String(error), stack: null, cause: null };
  }
  const { code } = error as { code?: unknown };
  return {
    name: error.name,
    code: typeof code === 'string' ? code : null,
    message: error.message,
    stack: error.stack ?? null,
    cause: error.cause == null || depth >= MAX_CAUSES ? null : packError(error.cause, depth + 1),
  };
}

/** The error as its own class again. */
export function unpackError(packed: PortableError): Error {
  const error = revive(packed);
  if (packed.stack !== null) error.stack = packed.stack;
  return error;
}

function revive({ name, code, message, cause }: PortableError): Error {
  const options = cause === null ? undefined : { cause: unpackError(cause) };
  switch (name) {
    case 'LearnError':
      return new LearnError(code as LearnErrorCode, message, options);
    case 'DspError':
      return new DspError(code as DspErrorCode, message, options);
    case 'GraphError':
      return new GraphError(code as GraphErrorCode, message, options);
    case 'QuantizeError':
      return new QuantizeError(code as QuantizeErrorCode, message, options);
    case 'FormatError':
      return new FormatError(code as FormatErrorCode, message, options);
    case 'TfliteError':
      return new TfliteError(code as TfliteErrorCode, message, options);
    case 'EmitError':
      return new EmitError(code as EmitErrorCode, message, options);
    default: {
      const error = new Error(message, options);
      error.name = name;
      return error;
    }
  }
}
