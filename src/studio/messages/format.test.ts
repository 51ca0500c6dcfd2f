import { describe, expect, test } from 'vitest';
import { format, setNumberLocale, unitText } from './format';

const spaced = (text: string) => text.replaceAll('\u00a0', ' ');

describe('numbers with units', () => {
  setNumberLocale('en');

  test.each([
    [format.percent(0.9712), '97.1 %'],
    [format.bytes(14_541), '14.2 KB'],
    [format.bytes(1023), '1,023 B'],
    [format.hz(62.5), '62.5 Hz'],
    [format.hz(16_000), '16 kHz'],
    [format.ms(0.4213), '0.42 ms'],
    [format.ms(2400), '2.40 s'],
    [format.us(1830), '1.83 ms'],
    [format.seconds(2), '2.0 s'],
    [format.seconds(65), '1:05 min'],
    [format.seconds(3661), '1:01 h'],
    [format.hex32(0x1a2b), '00001a2b'],
    [format.int(-0), '0'],
    [format.number(-6.331), '\u22126.331'],
    [format.percent(-0.021), '\u22122.1 %'],
    [format.number(-0.0001), '0'],
    [format.ms(NaN), '–'],
  ])('%s', (shown, wanted) => expect(spaced(shown)).toBe(wanted));

  test.each([
    ['m/s2', 'm/s²'],
    ['deg/s', '°/s'],
    ['Cel', '°C'],
    ['V', 'V'],
    ['', ''],
  ])('unit %s', (unit, wanted) => expect(unitText(unit)).toBe(wanted));
});
