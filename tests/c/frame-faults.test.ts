/** Damage on the wire, counted: what is broken is dropped or answered, and never read as something else. */
import { describe, expect, it } from 'vitest';
import { createLinesDialect, type LineReading } from '../../src/board/lines-dialect';
import { createFrameReader, encodeFrame, type Frame } from '../../src/board/mote-frames';
import { MESSAGE, PROTOCOL } from '../../src/board/wire';
import { createRandom } from '../conformance/random-model';
import { join, u16, u32, u8 } from './mote-client';
import { WasmBoard } from './wasm-board';

const random = createRandom(20_26);
const whole = (below: number): number => Math.floor(random() * below);

/** Bodies with many zeros, with none, and with runs around the 254 bytes at which COBS starts a new block. */
function randomBody(most: number): Uint8Array {
  const length = [0, 1, whole(16), 250 + whole(10), whole(most + 1)][whole(5)] ?? 0;
  const zeros = [0, 0.05, 0.5, 1][whole(4)] ?? 0;
  return Uint8Array.from({ length }, () => (random() < zeros ? 0 : whole(256)));
}

function sameFrame(a: Frame, b: Frame): boolean {
  return a.type === b.type && a.id === b.id && Buffer.from(a.body).equals(b.body);
}

describe('frames', () => {
  it('come back equal, however the stream is cut and whatever garbage is between them', () => {
    let frames = 0;
    for (let round = 0; round < 300; round++) {
      const sent: Frame[] = [];
      const wire: Uint8Array[] = [];
      for (let i = whole(8); i >= 0; i--) {
        const frame = { type: whole(256), id: whole(256), body: randomBody(600) };
        sent.push(frame);
        // Garbage without a delimiter: it ends with the one before the next frame.
        if (whole(3) === 0) wire.push(Uint8Array.from({ length: whole(50) }, () => 1 + whole(255)));
        wire.push(encodeFrame(frame.type, frame.id, frame.body));
      }
      const stream = join(...wire);
      const reader = createFrameReader();
      const got: Frame[] = [];
      for (let at = 0; at < stream.length;) {
        const piece = 1 + whole(whole(2) ? 4 : 400);
        got.push(
          ...reader.push(stream.subarray(at, at + piece)).map((frame) => ({ ...frame, body: frame.body.slice() })),
        );
        at += piece;
      }
      expect(got.length).toBe(sent.length);
      sent.forEach((frame, index) => expect(sameFrame(got[index] as Frame, frame)).toBe(true));
      frames += sent.length;
    }
    console.log(`${frames} random frames in pieces, all equal`);
  });

  it('with any single bit flipped are dropped, and the next frame is read', () => {
    let flips = 0;
    let merged = 0;
    const next: Frame = { type: MESSAGE.ping, id: 9, body: Uint8Array.of(1, 0, 2, 3) };
    const follow = encodeFrame(next.type, next.id, next.body);
    for (let round = 0; round < 60; round++) {
      const body = randomBody(round < 6 ? 600 : 40);
      const wire = encodeFrame(whole(256), whole(256), body);
      for (let bit = 0; bit < 8 * wire.length; bit++) {
        const damaged = Uint8Array.from(wire);
        const at = bit >> 3;
        damaged[at] = (damaged[at] as number) ^ (1 << (bit & 7));
        const got = createFrameReader().push(join(damaged, follow, follow));
        flips++;
        // A flipped leading delimiter is garbage before the frame; a flipped closing one joins the frame with the next
        // delimiter. The frame behind it is always read, and what is read is always one that was sent.
        const original = got.filter((frame) => !sameFrame(frame, next));
        expect(original.length).toBe(0);
        if (got.length < 2) merged++;
      }
    }
    console.log(`${flips} single-bit flips: none misread, ${merged} cost the frame behind as well`);
    expect(flips).toBeGreaterThan(10_000);
    expect(merged).toBe(0);
  });

  it('random bytes are never a frame', () => {
    const reader = createFrameReader();
    let bytes = 0;
    for (let round = 0; round < 400; round++) {
      const noise = Uint8Array.from({ length: 5000 }, () => (whole(20) === 0 ? PROTOCOL.delimiter : whole(256)));
      expect(reader.push(noise)).toEqual([]);
      bytes += noise.length;
    }
    console.log(`${bytes} random bytes: ${reader.dropped} dropped as bad frames, none read`);
    expect(reader.dropped).toBeGreaterThan(10_000);
  });
});

describe('the board', () => {
  it('does nothing and says nothing for a request with any single bit flipped, and answers the one behind it', () => {
    const board = new WasmBoard();
    board.exchange(encodeFrame(MESSAGE.hello, 1, join(u8(1), u8(1))));
    const requests: readonly (readonly [number, Uint8Array])[] = [
      [MESSAGE.hello, join(u8(1), u8(1))],
      [MESSAGE.ping, u32(7)],
      [MESSAGE.status, new Uint8Array()],
      [MESSAGE.abort, new Uint8Array()],
      [MESSAGE.channels, u8(0)],
      [MESSAGE.streamStart, u32(0)],
      [MESSAGE.slot, u8(0)],
      [MESSAGE.putBegin, join(u8(0), u32(5000), u32(0xdeadbeef))],
      [
        MESSAGE.putChunk,
        join(
          u32(0),
          Uint8Array.from({ length: 300 }, () => whole(256)),
        ),
      ],
      [MESSAGE.putEnd, new Uint8Array()],
      [MESSAGE.read, join(u8(0), u32(0), u16(64))],
      [MESSAGE.selfTest, u8(0)],
      [MESSAGE.activate, u8(0)],
      [MESSAGE.classifyBegin, u8(0)],
      [MESSAGE.runStart, u32(0)],
    ];
    const follow = encodeFrame(MESSAGE.ping, 9, u32(3));
    const version = board.wasm.mote_storage_version();
    const reader = createFrameReader();
    let flips = 0;
    for (const [type, body] of requests) {
      const wire = encodeFrame(type, 77, body);
      for (let bit = 0; bit < 8 * wire.length; bit++) {
        const damaged = Uint8Array.from(wire);
        damaged[bit >> 3] = (damaged[bit >> 3] as number) ^ (1 << (bit & 7));
        const said = reader.push(join(board.exchange(join(damaged, follow)), board.exchange(new Uint8Array())));
        expect(said.map(({ type, id }) => [type, id])).toEqual([[MESSAGE.ping | PROTOCOL.replyBit, 9]]);
        flips++;
      }
    }
    expect(board.wasm.mote_storage_version()).toBe(version);
    console.log(
      `${flips} single-bit flips of requests: none obeyed, none answered, ${flips} pings behind them answered`,
    );
    expect(flips).toBeGreaterThan(3000);
  });
});

describe('lines of numbers', () => {
  /** Readings of a settled dialect for some bytes of a wire. */
  function readingsOf(wire: Uint8Array): LineReading[] {
    const readings: LineReading[] = [];
    const dialect = createLinesDialect({ onChannels: () => {}, onReadings: (more) => readings.push(...more) });
    for (let at = 0; at < wire.length;) {
      const piece = 1 + whole(300);
      dialect.push(wire.subarray(at, at + piece), at);
      at += piece;
    }
    return readings;
  }
  const bytes = new TextEncoder();
  const numbers = (row: number): string => `${row},${(row / 8).toFixed(3)},-${row * 3}`;
  const clean = Array.from({ length: 40 }, (_, row) => numbers(row));
  const same = (reading: LineReading | undefined, row: number): boolean =>
    reading !== undefined &&
    Buffer.from(reading.values.buffer).equals(Buffer.from(Float32Array.from(numbers(row).split(','), Number).buffer));

  it('with any single bit flipped: three finite values or none, and every other line as it was', () => {
    const line = 25;
    const before = clean.slice(0, line).join('\n').length + 1;
    const count = { dropped: 0, same: 0, other: 0 };
    const wire = bytes.encode(`${clean.join('\n')}\n`);
    const undamaged = readingsOf(wire).length;
    for (let bit = 0; bit < 8 * (clean[line]!.length + 1); bit++) {
      const damaged = Uint8Array.from(wire);
      const at = before + (bit >> 3);
      damaged[at] = (damaged[at] as number) ^ (1 << (bit & 7));
      const readings = readingsOf(damaged);
      for (const { values } of readings) {
        expect(values.length).toBe(3);
        expect(values.every(Number.isFinite)).toBe(true);
      }
      // The lines around it; the one behind may be joined to it when the line's end was hit.
      const joined = bit >> 3 === clean[line]!.length;
      for (let row = line + 2; row < clean.length; row++) {
        expect(readings.some((reading) => same(reading, row))).toBe(true);
      }
      if (!joined) expect(readings.some((reading) => same(reading, line + 1))).toBe(true);
      // A decimal digit that became another cannot be told: text has no checksum. The frames of Mote have one.
      if (readings.length < undamaged) count.dropped++;
      else if (readings.some((reading) => same(reading, line))) count.same++;
      else count.other++;
    }
    console.log(
      `single-bit flips of a line: ${count.dropped} dropped, ${count.same} read the same, ${count.other} read as another number`,
    );
    expect(count.dropped).toBeGreaterThan(count.other);
  });

  it('random bytes between lines never change the number of channels nor give a value that is not finite', () => {
    let lines = 0;
    let noise = 0;
    for (let round = 0; round < 200; round++) {
      const parts = clean.map((text, row) => {
        lines++;
        if (row < 20 || whole(4) > 0) return bytes.encode(`${text}\n`);
        const garbage = Uint8Array.from({ length: whole(60) }, () => 128 + whole(128));
        noise += garbage.length;
        return join(garbage, bytes.encode(`\n${text}\n`));
      });
      const readings = readingsOf(join(...parts));
      for (const { values } of readings) expect([values.length, values.every(Number.isFinite)]).toEqual([3, true]);
      // The very first line may be half of one.
      for (let row = 1; row < clean.length; row++) expect(readings.some((reading) => same(reading, row))).toBe(true);
    }
    console.log(`${lines} lines with ${noise} random bytes between them: every line read`);
  });
});
