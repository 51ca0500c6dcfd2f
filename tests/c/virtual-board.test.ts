import { readFileSync } from 'node:fs';
import { join as joinPath } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { createRunner, createSmoother } from '../../src/emit/run-model';
import { windowFrames, strideFrames } from '../../src/dsp/block';
import { packId } from '../../src/emit/pack';
import { crc32 } from '../../src/emit/crc32';
import { encodeFrame } from '../../src/board/mote-frames';
import { FAULT, FEATURE, MESSAGE, PROTOCOL, SLOT_FLAG, SLOT_STATE, STATUS_FLAG } from '../../src/board/wire';
import { Dice, randomWindow } from '../conformance/random-model';
import { Fields, join, resultOf, u16, u32, u8, type Fault } from './mote-client';
import { root, run, withFolder } from './native-program';
import { sixAxisModel, type PackedModel } from './six-axis-model';
import { WasmBoard } from './wasm-board';

const ACC = Math.fround(Math.fround(9.80665) / 2048);
const GYR = Math.fround(2000 / 32768);
const SCALES = [ACC, ACC, ACC, GYR, GYR, GYR];

let first: PackedModel;
let second: PackedModel;
beforeAll(() => {
  first = sixAxisModel(1, ['idle', 'wave', 'κύκλος'], 'gestures');
  second = sixAxisModel(1000, ['a', 'b'], 'other');
});

/** Deploys as a host does. */
async function deploy(board: WasmBoard, slot: number, { pack }: PackedModel): Promise<void> {
  const { client } = board;
  expect((await client.put(slot, pack)).modelId).toBe(packId(pack));
  expect(await client.read(slot, pack.length)).toEqual(pack);
  const report = await client.selfTest(slot);
  expect(report).toMatchObject({ passed: 64, total: 64, firstFailure: PROTOCOL.windowNone });
  expect(report.averageUs).toBeGreaterThan(0);
  expect(await client.activate(slot)).toBe(packId(pack));
}

async function faultOf(request: Promise<unknown>): Promise<number> {
  return request.then(
    () => 0,
    (error: Fault) => error.code,
  );
}

/** Gives the board the next sample as a sine would make it, and keeps it. */
function sensor(board: WasmBoard): { readonly raw: number[][]; next(): Promise<void> } {
  const raw: number[][] = [];
  return {
    raw,
    async next() {
      const at = raw.length;
      const frame = SCALES.map((_, c) => Math.round(4000 * Math.sin((at * (c + 1)) / 9) + ((at * 7919) % 301) - 150));
      raw.push(frame);
      await board.sample(frame);
    },
  };
}

describe('virtual board', () => {
  it('is built from the sources beside it', () => {
    withFolder((folder) => {
      const built = joinPath(folder, 'virtual-board.wasm');
      run(process.execPath, ['scripts/build-virtual-board.mjs', built], 100_000);
      const same = readFileSync(built).equals(readFileSync(`${root}public/virtual-board.wasm`));
      expect(same, 'public/virtual-board.wasm is stale: run npm run build:firmware').toBe(true);
    });
  }, 120_000);

  it('says who it is', async () => {
    const { client } = new WasmBoard();
    const hello = await client.hello();
    expect([hello.u8(), hello.u16(), hello.u8(), hello.u8(), hello.u8()]).toEqual([1, 512, 8, 6, 2]);
    expect(hello.u8()).toBe(PROTOCOL.slotNone);
    expect(hello.u32()).toBeGreaterThanOrEqual(65536);
    expect([hello.u32(), hello.u32(), hello.u8()]).toEqual([65536, 100_000, 3]);
    expect([hello.u32(), hello.u32(), hello.u32()]).toEqual([50_000, 100_000, 200_000]);
    expect([hello.text(), hello.text(), hello.text()]).toEqual(['Virtual board', '0.1.0', '5649525455414c30']);
    expect([...hello.rest()]).toEqual([FEATURE.digest | FEATURE.chunksAtOnce]);
    const channels = await client.request(MESSAGE.channels, u8(0));
    expect([channels.u8(), channels.u8(), channels.u8()]).toEqual([6, 0, 6]);
    const listed = SCALES.map(() => [channels.text(), channels.text(), channels.f32()]);
    expect(listed).toEqual(
      ['accX', 'accY', 'accZ', 'gyrX', 'gyrY', 'gyrZ'].map((name, i) => [name, i < 3 ? 'm/s2' : 'deg/s', SCALES[i]]),
    );
    expect(await faultOf(client.request(MESSAGE.hello, u8(2), u8(3)))).toBe(FAULT.badVersion);
    expect((await client.request(MESSAGE.hello, u8(1), u8(9))).u8()).toBe(1);
    expect(await faultOf(client.request(MESSAGE.hello, u8(1)))).toBe(FAULT.badRequest);
    expect(await faultOf(client.request(0x3f))).toBe(FAULT.notSupported);
    const body = Uint8Array.from({ length: 512 }, (_, i) => i);
    expect((await client.request(MESSAGE.ping, body)).bytes).toEqual(body);
  });

  it('streams every sample with its number and time', async () => {
    const board = new WasmBoard();
    const { client } = board;
    const source = sensor(board);
    expect(board.wasm.mote_sample_rate()).toBe(0);
    const started = await client.request(MESSAGE.streamStart, u32(200_000));
    expect([started.u32(), started.u32()]).toEqual([200_000, 0]);
    expect(board.wasm.mote_sample_rate()).toBe(200_000);
    for (let i = 0; i < 101; i++) await source.next();
    expect((await client.request(MESSAGE.streamStop)).u32()).toBe(101);
    expect(board.wasm.mote_sample_rate()).toBe(0);
    const received: number[][] = [];
    for (const { type, id, body } of client.events) {
      expect([type, id]).toEqual([MESSAGE.samples, 0]);
      const f = new Fields(body);
      expect(f.u32()).toBe(received.length);
      expect(f.u64()).toBeGreaterThan(0);
      for (let count = f.u16(); count > 0; count--) received.push(SCALES.map(() => f.i16()));
    }
    expect(received).toEqual(source.raw);
    expect(await faultOf(client.request(MESSAGE.streamStart, u32(12_345)))).toBe(FAULT.badArgument);
  });

  it('rounds and clips values as a sensor does', async () => {
    const board = new WasmBoard();
    await board.client.request(MESSAGE.streamStart, u32(0));
    const values = [9.80665, -1000, 1000, NaN, 0.03, -0.04];
    new Float32Array(board.wasm.memory.buffer, board.wasm.mote_sample_values(), 6).set(values);
    board.wasm.mote_sample_push_values(5);
    await board.client.idle();
    await board.client.request(MESSAGE.streamStop);
    const raw = new Int16Array((board.client.events[0]?.body.slice(14) as Uint8Array).buffer);
    expect([...raw]).toEqual([2048, -32768, 32767, -32768, 0, -1]);
  });

  it('takes a model, proves it, runs it, and survives a restart', async () => {
    const board = new WasmBoard();
    const { client } = board;
    await client.hello();
    await deploy(board, 0, first);
    const slot = await client.request(MESSAGE.slot, u8(PROTOCOL.slotNone), u16(0));
    expect([slot.u8(), slot.u8(), slot.u8()]).toEqual([0, SLOT_STATE.valid, SLOT_FLAG.active]);
    slot.u32();
    expect([slot.u32(), slot.u32()]).toEqual([first.pack.length, packId(first.pack)]);
    expect(slot.u32()).toBeGreaterThan(0);
    expect(slot.u32()).toBe(Math.round(first.model.input.rateHz * 1000));
    expect([slot.u8(), slot.u32(), slot.u32()]).toEqual([
      6,
      windowFrames(first.model.input),
      strideFrames(first.model.input),
    ]);
    expect([slot.u16(), slot.u16(), slot.u8(), slot.text()]).toEqual([3, 0, 3, 'gestures']);
    expect([slot.text(), slot.text(), slot.text()]).toEqual(['idle', 'wave', 'κύκλος']);
    const other = await client.request(MESSAGE.slot, u8(1), u16(0));
    expect([other.u8(), other.u8(), other.u8()]).toEqual([1, SLOT_STATE.empty, 0]);

    const image = board.storage().slice();
    const again = new WasmBoard(image);
    expect((await again.client.hello()).bytes[6]).toBe(0);
    expect(await again.client.read(PROTOCOL.slotNone, first.pack.length)).toEqual(first.pack);
    await deploy(again, 1, second);
    expect((await again.client.hello()).bytes[6]).toBe(1);
    await again.client.activate(0);
    again.start();
    expect((await again.client.hello()).bytes[6]).toBe(0);
  });

  it('classifies windows from the host like the interpreter', async () => {
    const board = new WasmBoard();
    await deploy(board, 0, first);
    const runner = createRunner(first.model);
    const dice = new Dice(5);
    for (let i = 0; i < 50; i++) {
      const window = randomWindow(dice, runner.frames, 6);
      const expected = runner.classify(window);
      const result = await board.client.classify(0, window);
      expect(result.scores).toEqual([...expected.scores]);
      expect(result.featureCrc).toBe(expected.featureCrc);
      expect(result.best).toBe(expected.best);
      expect(result.modelId).toBe(packId(first.pack));
      expect(result.dspUs + result.networkUs).toBeGreaterThan(0);
    }
  });

  it('classifies its own samples so that the host can check each result', async () => {
    const board = new WasmBoard();
    const { client } = board;
    await deploy(board, 0, first);
    const source = sensor(board);
    await client.request(MESSAGE.streamStart, u32(0));
    for (let i = 0; i < 7; i++) await source.next();
    const started = await client.request(MESSAGE.runStart, u32(0));
    expect([started.u32(), started.u32()]).toEqual([packId(first.pack), 100_000]);
    const begin = started.u32();
    expect(begin).toBe(7);
    const runner = createRunner(first.model);
    const smoother = createSmoother(first.model);
    const stride = strideFrames(first.model.input);
    // Requests about slots, and putting another model, do not disturb the running one.
    for (let i = 0; i < runner.frames * 4; i++) {
      await source.next();
      if (i % 10 === 0) await client.request(MESSAGE.slot, u8(0), u16(0));
      if (i === 30) await client.put(1, second.pack);
    }
    await client.request(MESSAGE.runStop);
    await client.request(MESSAGE.streamStop);
    const results = client.events.filter(({ type }) => type === MESSAGE.result).map(({ body }) => resultOf(body));
    expect(results.length).toBe(1 + Math.floor((runner.frames * 3) / stride));
    results.forEach((result, i) => {
      expect(result.sequence).toBe(begin + runner.frames - 1 + i * stride);
      const window = new Float32Array(runner.frames * 6);
      for (let frame = 0; frame < runner.frames; frame++) {
        const raw = source.raw[result.sequence - runner.frames + 1 + frame] as number[];
        raw.forEach((value, c) => (window[frame * 6 + c] = value * (SCALES[c] as number)));
      }
      const expected = runner.classify(window);
      expect(result.scores).toEqual([...expected.scores]);
      expect(result.featureCrc).toBe(expected.featureCrc);
      const decision = smoother.decide(expected.scores);
      expect(result.decision).toBe(decision < 0 ? PROTOCOL.labelNone : decision);
    });
  });

  it('drops samples but no reply when the link is full, and the numbers tell', async () => {
    const board = new WasmBoard();
    const { client } = board;
    await client.request(MESSAGE.streamStart, u32(0));
    const source = sensor(board);
    await source.next();
    board.linkFull = true;
    for (let i = 0; i < 3000; i++) await source.next();
    board.linkFull = false;
    for (let i = 0; i < 10; i++) await source.next();
    const status = await client.request(MESSAGE.status);
    expect(status.u8()).toBe(STATUS_FLAG.streaming);
    await client.request(MESSAGE.streamStop);
    let next = 0;
    let lost = 0;
    for (const { body } of client.events) {
      const f = new Fields(body);
      const sequence = f.u32();
      lost += sequence - next;
      f.u64();
      next = sequence + f.u16();
      expect(SCALES.map(() => f.i16())).toEqual(source.raw[sequence]);
    }
    expect(next).toBe(source.raw.length);
    expect(lost).toBeGreaterThan(1000);
    status.u32();
    status.u64();
    status.u32();
    expect(status.u32()).toBe(0);
    expect(status.u32()).toBe(lost);
  });

  it('takes up chunks again where some were lost, and refuses what endangers the running model', async () => {
    const board = new WasmBoard();
    const { client } = board;
    await deploy(board, 0, first);
    const { pack } = second;
    expect(await faultOf(client.put(0, pack))).toBe(FAULT.refused);
    expect(await faultOf(client.put(2, pack))).toBe(FAULT.badArgument);
    expect(await faultOf(client.request(MESSAGE.putBegin, u8(1), u32(1 << 20), u32(0)))).toBe(FAULT.tooBig);
    expect(await faultOf(client.request(MESSAGE.putChunk, u32(0), u8(0)))).toBe(FAULT.notBegun);
    expect(await faultOf(client.activate(1))).toBe(FAULT.noModel);
    await client.request(MESSAGE.putBegin, u8(1), u32(pack.length), u32(crc32(pack)));
    const chunk = (at: number): Uint8Array => join(u32(at), pack.subarray(at, at + 100));
    const next = async (at: number): Promise<number> => (await client.request(MESSAGE.putChunk, chunk(at))).u32();
    expect(await next(0)).toBe(100);
    expect(await next(200)).toBe(100);
    expect(await next(300)).toBe(100);
    expect(await next(0)).toBe(100);
    expect(await next(100)).toBe(200);
    // A damaged frame gets no answer and costs nothing else.
    const damaged = encodeFrame(MESSAGE.putChunk, 77, chunk(200));
    damaged[20] = (damaged[20] as number) ^ 1 || 2;
    expect(board.exchange(damaged)).toHaveLength(0);
    expect(await faultOf(client.request(MESSAGE.putEnd))).toBe(FAULT.notBegun);
    expect(await faultOf(client.activate(0))).toBe(FAULT.busy);
    for (let at = 200; at < pack.length; at += 100) expect(await next(at)).toBe(Math.min(pack.length, at + 100));
    expect(await faultOf(client.request(MESSAGE.putChunk, u32(pack.length), u8(0)))).toBe(FAULT.badArgument);
    const end = (await client.request(MESSAGE.putEnd)).bytes;
    expect((await client.request(MESSAGE.putEnd)).bytes).toEqual(end);
    expect(await client.read(1, pack.length)).toEqual(pack);
    expect(await faultOf(client.request(MESSAGE.read, u8(1), u32(pack.length), u16(1)))).toBe(FAULT.badArgument);

    const spoilt = pack.slice();
    spoilt[pack.length - 1] = (spoilt[pack.length - 1] as number) ^ 255;
    expect(await faultOf(client.put(1, spoilt))).toBe(FAULT.badPack);
    await client.request(MESSAGE.putBegin, u8(1), u32(8), u32(1234));
    await client.request(MESSAGE.putChunk, u32(0), new Uint8Array(8));
    expect(await faultOf(client.request(MESSAGE.putEnd))).toBe(FAULT.crcMismatch);
    expect((await client.hello()).bytes[6]).toBe(0);
    expect(await client.read(0, first.pack.length)).toEqual(first.pack);
  });

  it('finds a slot that decayed, and keeps running the other', async () => {
    const board = new WasmBoard();
    await deploy(board, 0, first);
    await deploy(board, 1, second);
    const storage = board.storage();
    const start = storage.findIndex((_, i) => i % 4 === 0 && first.pack.every((byte, j) => storage[i + j] === byte));
    expect(start).toBeGreaterThan(0);
    storage[start + first.pack.length - 200] = (storage[start + first.pack.length - 200] as number) ^ 4;
    board.start();
    const slot = await board.client.request(MESSAGE.slot, u8(0), u16(0));
    expect([slot.u8(), slot.u8()]).toEqual([0, SLOT_STATE.corrupt]);
    expect(await faultOf(board.client.selfTest(0))).toBe(FAULT.noModel);
    expect((await board.client.hello()).bytes[6]).toBe(1);
  });

  it('boots the old or the new model after a power cut at every flash operation of a deploy', async () => {
    const factory = new WasmBoard();
    await deploy(factory, 0, first);
    const image = factory.storage().slice();
    const whole = new WasmBoard(image);
    const before = whole.wasm.mote_storage_version();
    await deploy(whole, 1, second);
    const count = whole.wasm.mote_storage_version() - before;
    let kept = 0;
    let switched = 0;
    for (let cut = 0; cut < count; cut++) {
      const board = new WasmBoard(image);
      board.wasm.mote_cut_power_after(cut);
      const { client } = board;
      // A dead board answers nothing; each exchange is one poll, so this ends soon.
      await client
        .put(1, second.pack)
        .then(() => client.activate(1))
        .catch(() => undefined);
      board.start();
      const active = (await client.hello()).bytes[6] as number;
      const expected = active === 0 ? first : second;
      expect(await client.read(active, expected.pack.length)).toEqual(expected.pack);
      expect((await client.selfTest(active)).passed).toBe(64);
      if (active === 0) kept++;
      else switched++;
    }
    console.log(`virtual board: ${count} cuts, old model ${kept}, new model ${switched}, neither 0`);
    expect(kept + switched).toBe(count);
    expect(kept).toBeGreaterThan(0);
  });
});
