/** Flash images from Intel HEX: damaged, odd and hostile files, and every image there and back. */
import { describe, expect, it } from 'vitest';
import { Random } from '../signal/random';
import {
  ERASED,
  FlashImageError,
  patchImage,
  readHexImage,
  writeHexImage,
  type FlashImageErrorCode,
} from './intel-hex';

/** One record with its checksum. `change` is added to the checksum. */
function record(type: number, address: number, data: readonly number[], change = 0): string {
  const bytes = [data.length, address >> 8, address & 0xff, type, ...data];
  const sum = bytes.reduce((total, byte) => total + byte, 0);
  return `:${[...bytes, (change - sum) & 0xff].map((byte) => byte.toString(16).padStart(2, '0')).join('')}`;
}

const END = record(1, 0, []);
const file = (...records: string[]): string => [...records, END, ''].join('\n');
const linear = (upper: number): string => record(4, 0, [upper >> 8, upper & 0xff]);

function codeOf(run: () => unknown): FlashImageErrorCode | 'nothing thrown' {
  try {
    run();
  } catch (error) {
    expect(error).toBeInstanceOf(FlashImageError);
    return (error as FlashImageError).code;
  }
  return 'nothing thrown';
}

const readCode = (text: string, size = 1024) => codeOf(() => readHexImage(text, size));

describe('reading Intel HEX', () => {
  it('puts bytes where they belong and leaves the rest erased', () => {
    const image = readHexImage(file(record(0, 4, [1, 2]), record(0, 0, [9])), 8);
    expect([...image]).toEqual([9, ERASED, ERASED, ERASED, 1, 2, ERASED, ERASED]);
    expect([...readHexImage(file(), 2)]).toEqual([ERASED, ERASED]);
  });

  it('takes every line ending, both cases, and the records that only a debugger needs', () => {
    const records = [record(5, 0, [0, 0, 1, 0]), record(3, 0, [0, 0, 1, 0]), record(0, 0, [0xab]), END];
    for (const ending of ['\n', '\r\n', '\r', '']) {
      for (const text of [records.join(ending), records.join(ending).toUpperCase()]) {
        expect([...readHexImage(text, 1)]).toEqual([0xab]);
      }
    }
  });

  it('follows extended addresses, linear and segmented, until the next one', () => {
    const text = file(
      linear(1),
      record(0, 2, [1]),
      record(2, 0, [0x10, 0x00]), // segment 0x1000: base 0x10000
      record(0, 3, [2]),
      linear(0),
      record(0, 4, [3]),
    );
    const image = readHexImage(text, 0x10010);
    expect([image[0x10002], image[0x10003], image[4]]).toEqual([1, 2, 3]);
    expect(image.filter((byte) => byte !== ERASED).length).toBe(3);
  });

  it.each<[string, string]>([
    ['nothing', ''],
    ['text', 'hello'],
    ['a web page instead of the file', '<!doctype html><title>Not found</title>'],
    ['no end', `${record(0, 0, [1])}\n`],
    ['bytes after the end', `${file(record(0, 0, [1]))}${record(0, 8, [1])}\n`],
    ['text between records', `${record(0, 0, [1])}\n# note\n${END}\n`],
    ['a wrong checksum', file(record(0, 0, [1, 2, 3], 1))],
    ['a line cut short', file(record(0, 0, [1, 2, 3]).slice(0, -2))],
    ['a line too long', file(`${record(0, 0, [1, 2, 3])}00`)],
    ['a length that is not the line’s', file(record(0, 0, [1, 2, 3]).replace(':03', ':04'))],
    ['no hex digits', file(':0z000001fe')],
    ['an unknown kind of record', file(record(6, 0, [1]))],
    ['an offset in an extended address', file(record(4, 1, [0, 1]))],
    ['an extended address without its bytes', file(record(4, 0, []))],
    ['an extended address of one byte', file(record(4, 0, [1]))],
    ['a segment of one byte', file(record(2, 0, [1]))],
    ['a segment of three bytes', file(record(2, 0, [0, 1, 2]))],
    ['a start address of two bytes', file(record(5, 0, [0, 1]))],
    ['an end with content', `${record(1, 0, [1])}\n`],
    ['a record that wraps at 64 KB', file(record(0, 0xffff, [1, 2]))],
    ['the same bytes twice', file(record(0, 0, [1, 2]), record(0, 0, [1, 2]))],
    ['bytes that overlap', file(record(0, 0, [1, 2]), record(0, 1, [1, 2]))],
    [
      'bytes that overlap by another address',
      file(linear(1), record(0, 0, [1]), record(2, 0, [0x10, 0]), record(0, 0, [1])),
    ],
  ])('refuses %s', (_, text) => {
    expect(readCode(text, 0x20000)).toBe('not-hex');
  });

  it('refuses bytes beyond the flash, to the byte', () => {
    expect(readHexImage(file(record(0, 1022, [1, 2])), 1024)[1023]).toBe(2);
    expect(readCode(file(record(0, 1023, [1, 2])))).toBe('out-of-range');
    expect(readCode(file(linear(1), record(0, 0, [1])))).toBe('out-of-range');
    // Where configuration words of AVR files lie, and the topmost address there is.
    expect(readCode(file(linear(0x82), record(0, 0, [1])))).toBe('out-of-range');
    expect(readCode(file(linear(0xffff), record(0, 0xffff, [1])))).toBe('out-of-range');
    expect(readCode(file(record(0, 0, [1])), 0)).toBe('out-of-range');
  });

  it('notices every single wrong digit', () => {
    const text = file(linear(0), record(0, 0x10, [0, 0x7f, 0xff]), record(0, 0x20, [1]));
    let changed = 0;
    for (let at = 0; at < text.length; at++) {
      if (!/[0-9a-f]/.test(text[at] ?? '')) continue;
      for (const digit of '0123456789abcdef') {
        if (digit === text[at]) continue;
        changed++;
        expect(readCode(text.slice(0, at) + digit + text.slice(at + 1), 0x20000)).toBe('not-hex');
      }
    }
    expect(changed).toBe(15 * text.replace(/[:\n]/g, '').length);
  });

  it('never throws anything else, whatever the bytes', () => {
    const random = new Random(11);
    const valid = file(linear(0), record(0, 0, [1, 2, 3, 4]), record(0, 16, [5]));
    const alphabet = ':0123456789abcdefAF\r\n g';
    const pick = (text: string): string => text[Math.floor(random.next() * text.length)] ?? '';
    for (let run = 0; run < 3000; run++) {
      const letters = [...(run % 2 === 0 ? valid : Array.from({ length: 40 }, () => pick(alphabet)))];
      for (let change = 0; change < 1 + (run % 5); change++) {
        letters.splice(Math.floor(random.next() * letters.length), Math.floor(random.next() * 3), pick(alphabet));
      }
      const text = letters.join('');
      const code = readCode(text, 64);
      // What is taken must really be there.
      if (code === 'nothing thrown') expect(text).toContain(END.slice(1, -2));
    }
  });

  it('reads what any other program writes: records of all lengths, in any order', () => {
    const random = new Random(12);
    for (let run = 0; run < 60; run++) {
      const size = 1 + Math.floor(random.next() * 0x18000);
      const wanted = new Uint8Array(size).fill(ERASED);
      const lines: { upper: number; line: string }[] = [];
      for (let at = Math.floor(random.next() * 200); at < size; at += Math.floor(random.next() * 6000)) {
        const length = Math.min(1 + Math.floor(random.next() * 255), size - at, 0x10000 - (at & 0xffff));
        const data = Array.from({ length }, () => Math.floor(random.next() * 256));
        wanted.set(data, at);
        lines.push({ upper: at >> 16, line: record(0, at & 0xffff, data) });
        at += length;
      }
      for (let i = lines.length - 1; i > 0; i--) {
        const j = Math.floor(random.next() * (i + 1));
        [lines[i], lines[j]] = [lines[j], lines[i]] as [(typeof lines)[0], (typeof lines)[0]];
      }
      const image = readHexImage(file(...lines.flatMap(({ upper, line }) => [linear(upper), line])), size);
      expect(Buffer.compare(image, wanted)).toBe(0);
    }
  });
});

describe('writing Intel HEX', () => {
  it('gives every image back, and leaves out what is erased', () => {
    const random = new Random(13);
    for (let run = 0; run < 60; run++) {
      const size = 128 * (1 + Math.floor(random.next() * 700));
      const image = new Uint8Array(size).fill(ERASED);
      const pieces = Math.floor(random.next() * 6);
      for (let i = 0; i < pieces; i++) {
        const at = Math.floor(random.next() * size);
        image.subarray(at, at + 1000).forEach((_, j, piece) => (piece[j] = Math.floor(random.next() * 256)));
      }
      const text = writeHexImage(image, 128);
      expect(Buffer.compare(readHexImage(text, size), image)).toBe(0);
      const blocks = Array.from({ length: size / 128 }, (_, i) => image.subarray(128 * i, 128 * (i + 1)));
      const written = blocks.filter((block) => block.some((byte) => byte !== ERASED)).length;
      const lines = text.trim().split('\n');
      expect(lines.filter((line) => line.startsWith(':10')).length).toBe(8 * written);
      expect(lines.every((line) => /^:[0-9A-F]+$/.test(line))).toBe(true);
    }
  });

  it('writes the last block when it is short', () => {
    const image = Uint8Array.from({ length: 130 }, (_, i) => i);
    expect(Buffer.compare(readHexImage(writeHexImage(image, 128), 130), image)).toBe(0);
  });
});

describe('a patch in an image', () => {
  const image = () => new Uint8Array(64).fill(ERASED).fill(7, 0, 16);

  it('lies where it was asked for, in a copy', () => {
    const before = image();
    const patched = patchImage(before, Uint8Array.of(1, 2, 3), 32, 48);
    expect([...patched.subarray(32, 36)]).toEqual([1, 2, 3, ERASED]);
    expect([...patched.subarray(0, 32)]).toEqual([...before.subarray(0, 32)]);
    expect([...before]).toEqual([...image()]);
    expect(patchImage(before, new Uint8Array(48), 16, 64)[63]).toBe(0);
    expect([...patchImage(before, new Uint8Array(0), 64, 64)]).toEqual([...before]);
  });

  it.each<[string, number, number, number, FlashImageErrorCode]>([
    ['too long for its place', 17, 32, 48, 'out-of-range'],
    ['beyond the image', 8, 60, 68, 'out-of-range'],
    ['before the image', 8, -4, 8, 'out-of-range'],
    ['backwards', 0, 48, 32, 'out-of-range'],
    ['over the last byte of code', 4, 15, 32, 'overlap'],
    ['with code further on in its place', 0, 8, 32, 'overlap'],
  ])('is refused %s', (_, length, start, end, code) => {
    expect(codeOf(() => patchImage(image(), new Uint8Array(length), start, end))).toBe(code);
  });
});
