import { describe, expect, it } from 'vitest';
import { Random } from '../signal/random';
import type { Channel } from '../signal/recording';
import { createLinesDialect, MAX_LINE_BYTES, parseLine, RESETTLE_LINES, SETTLE_LINES } from './lines-dialect';
import type { LinesDialect } from './lines-dialect';
import { randomPieces } from '../../tests/fixtures/random-pieces';

interface Heard {
  readonly dialect: LinesDialect;
  readonly channels: Channel[][];
  readonly rows: number[][];
  send(text: string | Uint8Array, at?: number): void;
}

function listen(): Heard {
  const channels: Channel[][] = [];
  const rows: number[][] = [];
  const dialect = createLinesDialect({
    onChannels: (next) => channels.push([...next]),
    onReadings: (readings) => rows.push(...readings.map((reading) => [...reading.values])),
  });
  return {
    dialect,
    channels,
    rows,
    send: (text, at = 0) => dialect.push(typeof text === 'string' ? new TextEncoder().encode(text) : text, at),
  };
}

const values = (line: string): number[] | string => {
  const parsed = parseLine(line);
  return parsed.kind === 'reading' ? [...parsed.values] : parsed.kind;
};

describe('one line', () => {
  it.each([
    ['1,2,3', [1, 2, 3]],
    ['1, 2, 3,', [1, 2, 3]],
    ['1;2;3', [1, 2, 3]],
    ['-1.5\t+2\t.5', [-1.5, 2, 0.5]],
    ['  1  2   3 ', [1, 2, 3]],
    ['1e3,2E-2', [1000, Math.fround(0.02)]],
    ['42', [42]],
    ['\u00071,2', [1, 2]],
    ['x:1,y:2', [1, 2]],
    ['x:1\ty:2', [1, 2]],
    ['x: 1 y: 2', [1, 2]],
    ['Accel X:-0.5,Accel Y:3', [-0.5, 3]],
    ['', 'blank'],
    ['\u0007', 'blank'],
    ['Hello', 'text'],
    ['Ready in 3 seconds', 'text'],
    ['12:30:05', 'text'],
    ['1.2,nan,3', 'malformed'],
    ['1.2,3.4x', 'malformed'],
    ['1,,3', 'malformed'],
    ['1e99,2', 'malformed'],
    [Array.from({ length: 200 }, () => '1').join(','), 'malformed'],
  ])('%j', (line, expected) => {
    expect(values(line)).toEqual(expected);
  });

  it('takes names from the plotter style', () => {
    expect(parseLine('temp:1,hum:2')).toMatchObject({ kind: 'reading', names: ['temp', 'hum'] });
  });
});

describe('a stream of lines', () => {
  const rows = (n: number, from = 0): string =>
    Array.from({ length: n }, (_, i) => `${from + i},${from + i + 0.5}\r\n`).join('');

  it('drops the partial first line and settles the channels by majority', () => {
    const heard = listen();
    heard.send(`9.25\r\n1,2\r\n3\r\n${rows(SETTLE_LINES)}`);
    expect(heard.channels).toEqual([
      [
        { name: 'ch1', unit: '' },
        { name: 'ch2', unit: '' },
      ],
    ]);
    expect(heard.rows.slice(0, 2)).toEqual([
      [1, 2],
      [0, 0.5],
    ]);
    expect(heard.rows.length).toBe(SETTLE_LINES + 1);
    expect(heard.dialect.stats).toMatchObject({ lines: SETTLE_LINES + 3, malformed: 1, text: 0 });
  });

  it('names the channels from a header and guesses units as a data forwarder does', () => {
    const heard = listen();
    heard.send(`accX,accY,audio\r\n${'1,2,3\r\n'.repeat(SETTLE_LINES)}`);
    expect(heard.channels).toEqual([
      [
        { name: 'accX', unit: 'm/s2' },
        { name: 'accY', unit: 'm/s2' },
        { name: 'audio', unit: 'wav' },
      ],
    ]);
    expect(heard.dialect.stats).toMatchObject({ text: 0, malformed: 0 });
  });

  it('counts text, blank and broken lines and shows the last text', () => {
    const heard = listen();
    heard.send(`x\n${rows(SETTLE_LINES)}\n\nBattery low!\n1,nan\n7,8\n`);
    expect(heard.dialect.stats).toEqual({
      lines: SETTLE_LINES + 6,
      blank: 2,
      text: 2,
      malformed: 1,
      lastText: 'Battery low!',
    });
    expect(heard.rows.at(-1)).toEqual([7, 8]);
  });

  it('follows a sketch that really changed, and not a single odd line', () => {
    const heard = listen();
    heard.send(`\n${rows(SETTLE_LINES)}1,2,3\n${rows(3)}`);
    expect(heard.channels.length).toBe(1);
    heard.send('1,2,3\n'.repeat(RESETTLE_LINES));
    expect(heard.channels.at(-1)?.length).toBe(3);
    expect(heard.rows.slice(-RESETTLE_LINES)).toEqual(Array.from({ length: RESETTLE_LINES }, () => [1, 2, 3]));
  });

  it('settles slow boards on demand', () => {
    const heard = listen();
    heard.send('\n1,2\n3,4\n');
    expect(heard.rows).toEqual([]);
    expect(heard.dialect.settleNow(3)).toBe(false);
    expect(heard.dialect.settleNow(2)).toBe(true);
    expect(heard.rows).toEqual([
      [1, 2],
      [3, 4],
    ]);
  });

  it('drops endless lines without holding them', () => {
    const heard = listen();
    heard.send(`\n${rows(SETTLE_LINES)}`);
    for (let i = 0; i < 100; i++) heard.send('7'.repeat(MAX_LINE_BYTES));
    heard.send('\n5,6\n');
    expect(heard.rows.at(-1)).toEqual([5, 6]);
    expect(heard.dialect.stats.malformed).toBe(1);
  });

  it('survives binary noise and invalid UTF-8', () => {
    const source = new Random(5);
    const heard = listen();
    heard.send(Uint8Array.from({ length: 20_000 }, () => source.nextUint32() & 255));
    heard.send(`\n${rows(SETTLE_LINES + RESETTLE_LINES)}`);
    expect(heard.rows.at(-1)).toEqual([SETTLE_LINES + RESETTLE_LINES - 1, SETTLE_LINES + RESETTLE_LINES - 0.5]);
  });

  it('gives the same readings and counts however the bytes are cut', () => {
    const source = new Random(4);
    const random = (): number => source.next();
    const ends = ['\n', '\r\n', '\r'];
    for (let i = 0; i < 40; i++) {
      const end = ends[i % 3] ?? '\n';
      let text = 'accX\taccY' + end;
      for (let line = 0; line < 120; line++) {
        const draw = random();
        if (draw < 0.05) text += end;
        else if (draw < 0.1) text += 'Über 9000!' + end;
        else if (draw < 0.15) text += '1.5\tx' + end;
        else if (draw < 0.2) text += '\u0007';
        else text += `${(random() * 20 - 10).toFixed(3)}\t${Math.floor(random() * 100)}${end}`;
      }
      const bytes = new TextEncoder().encode(text);
      const whole = listen();
      whole.send(bytes);
      const pieces = listen();
      for (const piece of randomPieces(bytes, 1 + Math.floor(random() * 40), random)) pieces.send(piece);
      expect(pieces.rows).toEqual(whole.rows);
      expect(pieces.rows.length).toBeGreaterThan(60);
      expect(pieces.channels).toEqual(whole.channels);
      expect(pieces.dialect.stats).toEqual(whole.dialect.stats);
    }
  });
});
