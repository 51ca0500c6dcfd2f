/**
 * The example 6_KeepModels, built with the real Arduino core, on an emulated Mega 2560: models live in its EEPROM, and a power
 * cut at any write leaves the old or the new one.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { packId } from '../../src/board/deploy';
import { probeModel } from '../../src/board/probe-model';
import { MESSAGE } from '../../src/board/wire';
import { writePack } from '../../src/emit/pack';
import { MoteClient, resultOf, u16, u32, u8 } from '../c/mote-client';
import { ArduinoBuild, boardNamed, whyNoCore } from './arduino-build';
import { buildRunner, EEPROM_BYTES, MegaBoard, whyNoMega, type EepromWrite } from './mega-board';

const CHANNELS = [{ name: 'x', unit: 'V' }];
const RATE_HZ = 25;
const FRAMES = 13;
/** Half the EEPROM without two journal blocks of 64 bytes, and without a header of 32. */
const CAPACITY = 1952;
const SELF_TESTS = 64;
/** Writes between two cuts, but for the last ones, which are header and journal. */
const STRIDE = 10;
const LAST = 72;
const READ_BYTES = 180;

const missing = whyNoCore ?? whyNoMega;
const folder = mkdtempSync(join(tmpdir(), 'mote-eeprom-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Models that nobody trained; those of a studio are longer, see docs/bundles.md. */
const pack = (seed: number): Uint8Array => writePack(probeModel({ channels: CHANNELS, rateHz: RATE_HZ }, seed, FRAMES));
const OLDEST = pack(3);
const OLD = pack(1);
const NEW = pack(2);

describe.skipIf(missing !== null)(`EEPROM of a Mega (${missing ?? 'simavr'})`, () => {
  let elf = '';
  let runner = '';
  let everything = '';
  let boards = 0;
  /** With a model in both slots. */
  let kept: Uint8Array = new Uint8Array();
  beforeAll(() => {
    const build = new ArduinoBuild(folder);
    elf = build.link(boardNamed('Mega'), '6_KeepModels');
    everything = build.link(boardNamed('Mega'), '7_Everything');
    runner = buildRunner(folder);
  }, 300_000);

  async function boot<T>(
    eeprom: Uint8Array,
    use: (client: MoteClient, board: MegaBoard) => Promise<T>,
    sketch = elf,
  ): Promise<T> {
    const board = new MegaBoard(runner, sketch, eeprom, join(folder, `eeprom-${boards++}`));
    try {
      const client = new MoteClient(board.exchange);
      await client.idle();
      return await use(client, board);
    } finally {
      board.powerOff();
    }
  }

  /** The active slot, 255 for none, and the number of slots. */
  async function greeting(client: MoteClient): Promise<{ readonly slots: number; readonly active: number }> {
    const hello = await client.hello();
    const [, , , , slots = 0, active = 255] = [hello.u8(), hello.u16(), hello.u8(), hello.u8(), hello.u8(), hello.u8()];
    return { slots, active };
  }

  async function readBack(client: MoteClient, slot: number, bytes: number): Promise<Uint8Array> {
    const back: number[] = [];
    while (back.length < bytes) {
      const reply = await client.request(MESSAGE.read, u8(slot), u32(back.length), u16(READ_BYTES));
      reply.u8();
      reply.u32();
      back.push(...reply.rest());
    }
    return Uint8Array.from(back);
  }

  async function deploy(client: MoteClient, slot: number, bytes: Uint8Array): Promise<void> {
    const { modelId } = await client.put(slot, bytes, 1);
    expect(modelId).toBe(packId(bytes));
    expect(Buffer.from(await readBack(client, slot, bytes.length)).equals(bytes)).toBe(true);
    expect(await client.selfTest(slot)).toMatchObject({ passed: SELF_TESTS, total: SELF_TESTS });
    expect(await client.activate(slot)).toBe(packId(bytes));
  }

  test('keeps a model over a power cycle, runs its self-test, and survives cuts while a second one is written', async () => {
    expect(Math.max(OLD.length, NEW.length)).toBeLessThanOrEqual(CAPACITY);
    const first = await boot(new Uint8Array(EEPROM_BYTES).fill(0xff), async (client, board) => {
      expect(await greeting(client)).toEqual({ slots: 2, active: 255 });
      await deploy(client, 0, OLDEST);
      await deploy(client, 1, OLD);
      return board.look();
    });
    const { writes, last } = await boot(first.eeprom, async (client, board) => {
      expect(await greeting(client)).toEqual({ slots: 2, active: 1 });
      await expect(client.put(0, new Uint8Array(CAPACITY + 4), 1)).rejects.toThrow(/does not fit/);
      await deploy(client, 0, NEW);
      return { writes: await board.writes(), last: await board.look() };
    });
    kept = last.eeprom;
    // Below what the sketch leaves.
    const { ramBytes } = new ArduinoBuild(folder).size(elf);
    const stack = Math.max(first.stackBytes, last.stackBytes);
    console.info(`${OLD.length} B pack, ${writes.length} writes, ${ramBytes} B static, ${stack} B stack of 8192`);
    expect(ramBytes + stack).toBeLessThan(8192);
    expect(Buffer.from(afterWrites(first.eeprom, writes, writes.length)).equals(last.eeprom)).toBe(true);

    let old = 0;
    let fresh = 0;
    for (let cut = 0; cut <= writes.length; cut += cut < writes.length - LAST ? STRIDE : 1) {
      const eeprom = afterWrites(first.eeprom, writes, cut);
      const torn = writes[cut];
      // The byte that was being written: as before, erased, or anything.
      if (torn && cut % 3 > 0) eeprom[torn.address] = cut % 3 === 1 ? 0xff : (cut * 37) & 0xff;
      const active = await boot(eeprom, async (client) => {
        const greeted = await greeting(client);
        if (greeted.active === 0) expect(await readBack(client, 0, NEW.length)).toEqual(NEW);
        return greeted.active;
      });
      expect([0, 1], `cut at write ${cut}`).toContain(active);
      if (active === 1) old++;
      else fresh++;
    }
    console.info(`${old + fresh} cuts: old model ${old}, new model ${fresh}, neither 0`);
    expect(old).toBeGreaterThan(0);
    expect(fresh).toBeGreaterThan(0);
    expect(await boot(last.eeprom, greeting)).toEqual({ slots: 2, active: 0 });
  }, 300_000);

  test('7_Everything runs the model that it finds at power-up, without a host', async () => {
    expect(kept).toHaveLength(EEPROM_BYTES);
    await boot(
      kept,
      async (client, board) => {
        // Windows of half a second.
        for (let slices = 0; slices < 170; slices++) await client.idle();
        const results = client.events.filter(({ type }) => type === MESSAGE.result).map(({ body }) => resultOf(body));
        expect(results.length).toBeGreaterThanOrEqual(2);
        for (const { modelId } of results) expect(modelId).toBe(packId(NEW));
        const { stackBytes } = await board.look();
        expect(new ArduinoBuild(folder).size(everything).ramBytes + stackBytes).toBeLessThan(8192);
        // A host takes over.
        expect(await greeting(client)).toEqual({ slots: 2, active: 0 });
        client.events = [];
        for (let slices = 0; slices < 100; slices++) await client.idle();
        expect(client.events).toEqual([]);
      },
      everything,
    );
  }, 60_000);
});

function afterWrites(eeprom: Uint8Array, writes: readonly EepromWrite[], count: number): Uint8Array {
  const image = eeprom.slice();
  for (const { address, value } of writes.slice(0, count)) image[address] = value;
  return image;
}
