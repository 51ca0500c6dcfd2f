/**
 * Files of calibration inputs: what a network is shown while the ranges of its integers are measured. Raw little-endian
 * float32 numbers, NumPy's `.npy`, or text with one input per line.
 */
import { decodeText } from './csv-import';
import { FormatError, MOST_FILE_BYTES } from './format-error';
import { GrowingArray } from './growing-array';

const NPY_MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];
/** Headers are padded to 64 bytes; a shape with a hundred axes still fits. */
const MOST_NPY_HEADER = 65_535;
const TEXT_FILE = /\.(csv|tsv|txt)$/i;

/**
 * The inputs of a file, one after another, `size` numbers each.
 * Throws FormatError `empty`, `too-large`, `malformed` (not a whole number of inputs, or cut short), `unsupported` (.npy of
 * other numbers than float32 and float64, or in Fortran's order), `not-numbers` or `not-finite`.
 */
export function readCalibrationInputs(bytes: Uint8Array, fileName: string, size: number): Float32Array {
  if (bytes.length === 0) throw new FormatError('empty', `${fileName} is empty: calibration needs at least one input.`);
  if (bytes.length > MOST_FILE_BYTES) {
    throw new FormatError('too-large', `${fileName} is larger than 64 MB. A few hundred inputs are enough.`);
  }
  const isNpy = NPY_MAGIC.every((byte, index) => bytes[index] === byte);
  const values = isNpy
    ? readNpy(bytes, fileName)
    : TEXT_FILE.test(fileName)
      ? readRows(bytes, fileName, size)
      : readRaw(bytes, fileName, size);
  if (values.length === 0 || values.length % size !== 0) {
    throw new FormatError(
      'malformed',
      `${fileName} holds ${values.length} numbers, which is not a whole number of inputs: this model takes ${size} ` +
        'numbers at a time.',
    );
  }
  const bad = values.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) {
    throw new FormatError(
      'not-finite',
      `Number ${bad + 1} of ${fileName} is ${values[bad]}. Calibration inputs must be ordinary numbers in float32.`,
    );
  }
  return values;
}

function readRaw(bytes: Uint8Array, fileName: string, size: number): Float32Array {
  if (bytes.length % (4 * size) !== 0) {
    throw new FormatError(
      'malformed',
      `${fileName} has ${bytes.length} bytes. This model takes ${size} numbers at a time, so a file of float32 numbers ` +
        `must have a multiple of ${4 * size} bytes. (Text needs a name that ends in .csv.)`,
    );
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Float32Array.from({ length: bytes.length / 4 }, (_, index) => view.getFloat32(4 * index, true));
}

/** Little-endian float32 or float64, row after row. */
function readNpy(bytes: Uint8Array, fileName: string): Float32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const broken = (): never => {
    throw new FormatError('malformed', `${fileName} is cut short, or is no .npy file that NumPy wrote.`);
  };
  if (bytes.length < 12) return broken();
  const wide = (bytes[6] as number) >= 2;
  const length = wide ? view.getUint32(8, true) : view.getUint16(8, true);
  const start = wide ? 12 : 10;
  if (length > MOST_NPY_HEADER || start + length > bytes.length) return broken();
  const header = String.fromCharCode(...bytes.subarray(start, start + length));
  const type = /'descr':\s*'([^']*)'/.exec(header)?.[1];
  const shape = /'shape':\s*\(([\d\s,]*)\)/.exec(header)?.[1];
  if (type === undefined || shape === undefined) return broken();
  if ((type !== '<f4' && type !== '<f8') || /'fortran_order':\s*True/.test(header)) {
    throw new FormatError(
      'unsupported',
      `${fileName} holds numbers as "${type}". Save it with numpy.save(file, inputs.astype("float32", order="C")).`,
    );
  }
  const count = shape
    .split(',')
    .filter((part) => part.trim() !== '')
    .reduce((product, part) => product * Number(part), 1);
  const width = type === '<f4' ? 4 : 8;
  const at = start + length;
  if (count * width !== bytes.length - at) return broken();
  return Float32Array.from({ length: count }, (_, index) =>
    width === 4 ? view.getFloat32(at + 4 * index, true) : view.getFloat64(at + 8 * index, true),
  );
}

/** One input per line, numbers separated by comma, semicolon, tab or blanks. A first line of names is left out. */
function readRows(bytes: Uint8Array, fileName: string, size: number): Float32Array {
  const values = new GrowingArray((length) => new Float32Array(length));
  const lines = decodeText(bytes)
    .replace(/^\uFEFF/, '')
    .split(/\r\n?|\n/);
  let first = true;
  for (const [index, line] of lines.entries()) {
    if (line.trim() === '') continue;
    const cells = line.trim().split(/\s*[,;\t]\s*|\s+/);
    const numbers = cells.map((cell) => (cell === '' ? NaN : Number(cell)));
    const header = first && numbers.every((value) => Number.isNaN(value));
    first = false;
    if (header) continue;
    const bad = numbers.findIndex((value) => Number.isNaN(value));
    if (bad >= 0) {
      throw new FormatError('not-numbers', `Line ${index + 1} of ${fileName}: "${cells[bad]}" is not a number.`);
    }
    if (numbers.length !== size) {
      throw new FormatError(
        'malformed',
        `Line ${index + 1} of ${fileName} has ${numbers.length} numbers. This model takes ${size} numbers at a time: ` +
          'each line is one input.',
      );
    }
    for (const value of numbers) values.push(value);
  }
  return values.toArray();
}
