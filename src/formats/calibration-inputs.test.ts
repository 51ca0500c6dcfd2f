import { describe, expect, it } from 'vitest';
import { readCalibrationInputs } from './calibration-inputs';

const text = (content: string): Uint8Array => new TextEncoder().encode(content);
const raw = (...values: number[]): Uint8Array => new Uint8Array(Float32Array.from(values).buffer);

/** A file as `numpy.save` writes it. */
function npy(descr: string, shape: string, data: Uint8Array, order = 'False'): Uint8Array {
  const header = `{'descr': '${descr}', 'fortran_order': ${order}, 'shape': (${shape}), }`.padEnd(117) + '\n';
  return Uint8Array.from([0x93, ...text('NUMPY'), 1, 0, header.length, 0, ...text(header), ...data]);
}

describe('readCalibrationInputs', () => {
  it('reads raw float32, .npy and lines of numbers alike', () => {
    const expected = Float32Array.of(1, -2.5, 3, 4);
    expect(readCalibrationInputs(raw(1, -2.5, 3, 4), 'a.bin', 2)).toEqual(expected);
    expect(readCalibrationInputs(npy('<f4', '2, 2', raw(1, -2.5, 3, 4)), 'a.npy', 2)).toEqual(expected);
    const doubles = new Uint8Array(Float64Array.of(1, -2.5, 3, 4).buffer);
    expect(readCalibrationInputs(npy('<f8', '4,', doubles), 'a.npy', 2)).toEqual(expected);
    expect(readCalibrationInputs(text('x,y\n1,-2.5\r\n\n3,4e0\n'), 'a.csv', 2)).toEqual(expected);
    expect(readCalibrationInputs(text('1 -2.5\n3;4'), 'a.TXT', 2)).toEqual(expected);
  });

  it.each([
    ['nothing', new Uint8Array(), 'a.bin', 'empty', 'empty'],
    ['half an input', raw(1, 2, 3), 'a.bin', 'malformed', 'multiple of 8 bytes'],
    ['bytes that are no float32', new Uint8Array(9), 'a.bin', 'malformed', 'has 9 bytes'],
    ['a number that is none', raw(1, NaN), 'a.bin', 'not-finite', 'Number 2'],
    ['a line too long', text('1,2\n1,2,3'), 'a.csv', 'malformed', 'Line 2 of a.csv has 3 numbers'],
    ['words', text('1,2\n1,two'), 'a.csv', 'not-numbers', '"two"'],
    ['a number too large for float32', text('1,1e99'), 'a.csv', 'not-finite', 'Number 2'],
    ['an array of integers', npy('<i4', '2, 2', raw(1, 2, 3, 4)), 'a.npy', 'unsupported', '"<i4"'],
    ['columns first', npy('<f4', '2, 2', raw(1, 2, 3, 4), 'True'), 'a.npy', 'unsupported', 'order="C"'],
    ['an array cut short', npy('<f4', '3, 2', raw(1, 2, 3, 4)), 'a.npy', 'malformed', 'cut short'],
    ['a shape beyond the file', npy('<f4', '99999999999, 9999999', raw(1, 2)), 'a.npy', 'malformed', 'cut short'],
    ['nothing but the magic', npy('<f4', '2', raw(1)).subarray(0, 9), 'a.npy', 'malformed', 'cut short'],
    ['inputs of another size', npy('<f4', '1, 3', raw(1, 2, 3)), 'a.npy', 'malformed', '2 numbers at a time'],
    ['an empty table', text('x,y\n'), 'a.csv', 'malformed', '0 numbers'],
  ])('refuses %s', (_, bytes, name, code, words) => {
    let failure: unknown;
    try {
      readCalibrationInputs(bytes, name, 2);
    } catch (error) {
      failure = error;
    }
    expect(failure).toMatchObject({ name: 'FormatError', code });
    expect((failure as Error).message).toContain(words);
  });
});
