import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { RUNTIME_SOURCES } from '../../scripts/runtime-sources.mjs';
import { createFrameReader, encodeFrame } from '../../src/board/mote-frames';
import { MESSAGE, PROTOCOL } from '../../src/board/wire';
import { Fields, join as bytesOf, u32, u8 } from './mote-client';
import { root, run, runtime, SANITIZED, withFolder } from './native-program';

const WARNINGS = ['-Wall', '-Wextra', '-Werror'];

/** Compiles a sketch as Arduino does (the library's C as C, the sketch as C++) and runs it for some milliseconds. */
function runSketch(name: string, milliseconds: number, input: Uint8Array): Buffer {
  return withFolder((folder) => {
    const objects = RUNTIME_SOURCES.map((name) => {
      const object = join(folder, `${name}.o`);
      run('gcc', ['-std=c99', '-O1', ...WARNINGS, ...SANITIZED, '-c', join(runtime, name), '-o', object]);
      return object;
    });
    const sketch = join(root, 'firmware/mote/examples', name, `${name}.ino`);
    const flags = [
      '-std=c++11',
      '-O1',
      ...WARNINGS,
      ...SANITIZED,
      `-DSKETCH="${sketch}"`,
      `-I${runtime}`,
      `-I${join(root, 'tests/c')}`,
    ];
    const program = join(folder, 'sketch');
    run('g++', [...flags, join(root, 'tests/c/sketch_test.cpp'), ...objects, '-o', program]);
    const done = spawnSync(program, [String(milliseconds)], { input, timeout: 20_000 });
    expect(done.stderr.toString()).toBe('');
    expect(done.status).toBe(0);
    return done.stdout;
  });
}

it.each(['PrintNumbers', 'RememberedBoard'])('%s prints a header and 100 lines a second', (sketch) => {
  const lines = runSketch(sketch, 1000, new Uint8Array()).toString().trimEnd().split('\r\n');
  expect(lines[0]).toBe('x,y,z');
  expect(lines.slice(1)).toHaveLength(100);
  for (const line of lines.slice(1)) expect(line).toMatch(/^\d+,\d+,\d+$/);
});

it('StreamBoard greets and streams at its rate over the wrap of micros()', () => {
  const requests = bytesOf(
    encodeFrame(MESSAGE.hello, 1, bytesOf(u8(1), u8(1))),
    encodeFrame(MESSAGE.streamStart, 2, u32(0)),
  );
  const frames = createFrameReader().push(runSketch('StreamBoard', 1000, requests));
  const hello = new Fields(frames.find(({ id }) => id === 1)?.body as Uint8Array);
  expect([hello.u8(), hello.u16(), hello.u8(), hello.u8(), hello.u8()]).toEqual([1, 192, 1, 3, 0]);
  let frame = 0;
  for (const { type, body } of frames) {
    if (type !== MESSAGE.samples) continue;
    const fields = new Fields(body);
    expect(fields.u32()).toBe(frame);
    fields.u64();
    frame += fields.u16();
  }
  expect(frame).toBeGreaterThanOrEqual(95);
  expect(frame).toBeLessThanOrEqual(100);
});

it('MoteBoard greets, streams at its rate over the wrap of micros(), and offers two slots', () => {
  const requests = bytesOf(
    encodeFrame(MESSAGE.hello, 1, bytesOf(u8(1), u8(1))),
    encodeFrame(MESSAGE.channels, 2, u8(0)),
    encodeFrame(MESSAGE.streamStart, 3, u32(0)),
  );
  const frames = createFrameReader().push(runSketch('MoteBoard', 1000, requests));
  const hello = new Fields(frames.find(({ id }) => id === 1)?.body as Uint8Array);
  expect([hello.u8(), hello.u16(), hello.u8(), hello.u8(), hello.u8(), hello.u8()]).toEqual([
    1,
    512,
    4,
    3,
    2,
    PROTOCOL.slotNone,
  ]);
  const channels = new Fields(frames.find(({ id }) => id === 2)?.body.subarray(3) as Uint8Array);
  expect([channels.text(), channels.text(), channels.f32()]).toEqual(['x', 'V', Math.fround(Math.fround(3.3) / 1023)]);
  let next = 0;
  let last = -Infinity;
  for (const { type, body } of frames) {
    if (type !== MESSAGE.samples) continue;
    const f = new Fields(body);
    expect(f.u32()).toBe(next);
    const time = f.u64();
    if (last > -Infinity) expect(time - last).toBe(20_000);
    last = time;
    next += f.u16();
  }
  expect(next).toBeGreaterThanOrEqual(97);
  expect(next).toBeLessThanOrEqual(100);
});
