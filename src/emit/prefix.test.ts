import { describe, expect, it } from 'vitest';
import { EmitError } from './model';
import { checkPrefix, toPrefix } from './prefix';

describe('checkPrefix', () => {
  it.each(['gesture', 'magic_wand', 'G2', 'a', 'x'.repeat(31)])('takes %s', (prefix) => {
    expect(() => checkPrefix(prefix)).not.toThrow();
  });

  it.each([
    ['', 'empty'],
    ['2fast', 'digit first'],
    ['_x', 'underscore first'],
    ['x_', 'would give x__push'],
    ['a__b', 'reserved in C++'],
    ['über', 'not ASCII'],
    ['a b', 'blank'],
    ['a\n', 'line break'],
    ['int', 'keyword of C'],
    ['class', 'keyword of C++'],
    ['Int', 'keyword in another case'],
    ['mote', 'the runtime itself'],
    ['x'.repeat(32), 'too long'],
  ])('refuses %j: %s', (prefix) => {
    try {
      checkPrefix(prefix);
    } catch (error) {
      expect(error).toBeInstanceOf(EmitError);
      expect((error as EmitError).code).toBe('bad-prefix');
      return;
    }
    expect.fail('it was taken');
  });
});

describe('toPrefix', () => {
  it.each([
    ['Magic Wand!', 'magic_wand'],
    ['Übung 3', 'ubung_3'],
    ['3 axes', 'model_3_axes'],
    ['', 'model'],
    ['手', 'model'],
    ['class', 'class_model'],
    ['mote', 'mote_model'],
    ['a__b', 'a_b'],
  ])('makes of %j %s', (name, prefix) => {
    expect(toPrefix(name)).toBe(prefix);
  });

  it('always makes a prefix that passes', () => {
    const characters = ['a', 'Z', '_', '0', ' ', '-', 'é', '👋', '\n'];
    for (let seed = 0; seed < 2000; seed++) {
      let state = seed * 7919 + 1;
      const name = Array.from({ length: seed % 45 }, () => {
        state = (state * 48271) % 2147483647;
        return characters[state % characters.length];
      }).join('');
      expect(() => checkPrefix(toPrefix(name))).not.toThrow();
    }
  });
});
