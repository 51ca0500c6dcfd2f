import { describe, expect, it } from 'vitest';
import { commentText, floatLiteral, int32Literal, stringLiteral, uint32Literal } from './c-literals';

describe('floatLiteral', () => {
  it.each([
    [0, '0.0f'],
    [-0, '-0.0f'],
    [1, '1.0f'],
    [0.5, '0.5f'],
    [Math.fround(0.1), '0.100000001f'],
    [16777216, '16777216.0f'],
    [2 ** 100, '1.2676506e+30f'],
    [-(2 ** -149), '-1.40129846e-45f'],
  ])('prints %d as %s', (value, text) => {
    expect(floatLiteral(value)).toBe(text);
  });

  it('comes back bit for bit for every exponent', () => {
    const bits = new Uint32Array(1);
    const value = new Float32Array(bits.buffer);
    for (let exponent = 0; exponent < 255; exponent++) {
      for (const mantissa of [0, 1, 0x2aaaaa, 0x400001, 0x7fffff]) {
        bits[0] = (exponent << 23) | mantissa;
        const text = floatLiteral(value[0] as number);
        expect(text).toMatch(/^\d+\.\d+(e[+-]\d+)?f$/);
        expect(Math.fround(Number(text.slice(0, -1)))).toBe(value[0]);
      }
    }
  });

  it('refuses what C has no literal for', () => {
    expect(() => floatLiteral(NaN)).toThrow(RangeError);
    expect(() => floatLiteral(Infinity)).toThrow(RangeError);
  });
});

it('prints the ends of the integer ranges', () => {
  expect(int32Literal(-2147483648)).toBe('(-2147483647 - 1)');
  expect(int32Literal(2147483647)).toBe('2147483647');
  expect(uint32Literal(0)).toBe('0x00000000u');
  expect(uint32Literal(4294967295)).toBe('0xFFFFFFFFu');
});

it('escapes all that is not plain text in strings', () => {
  expect(stringLiteral('a"b\\c??/1\n\0é')).toBe('"a\\042b\\134c\\077\\077/1\\012\\000\\303\\251"');
});

it('keeps comments closed', () => {
  expect(commentText('a */ b /* c **/ //')).toBe('a * / b / * c ** / //');
  expect(commentText('*//*/')).not.toMatch(/\*\/|\/\*/);
  expect(commentText('line\\\nnext ??/ é')).toBe('line<U+005C><U+000A>next <U+003F><U+003F>/ <U+00E9>');
});
