/**
 * Writing a model to a board and reading it back. The new pack goes into a slot that is not running; the board reads
 * it back from its flash, it is compared and proved by its own known answers on the board before the board switches. Whatever happens before the
 * last step, the old model still runs.
 */
import { crc32 } from '../emit/crc32';
import { BoardError } from './board';
import type { BoardIdentity, BoardSlot, DeployProgress, DeployReport, SelfTestReport } from './board';
import { cancelled } from './mote-dialect';
import type { MoteDialect } from './mote-dialect';
import type { Clock } from './timing';

/** What deploying needs of the board's dialect. */
export type ModelStore = Pick<MoteDialect, 'slots' | 'put' | 'compare' | 'read' | 'selfTest' | 'activate'>;

interface DeployOptions {
  readonly clock: Clock;
  readonly onProgress?: ((progress: DeployProgress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

const PACK_MAGIC = [0x4d, 0x4f, 0x54, 0x45] as const;
/** Magic, CRC, version, sections, size (docs/pack-format.md). */
const PACK_HEADER_BYTES = 16;

/** The model id that a pack carries, or null when the bytes are no undamaged pack. */
export function packId(pack: Uint8Array): number | null {
  if (pack.length < PACK_HEADER_BYTES || PACK_MAGIC.some((byte, i) => pack[i] !== byte)) return null;
  const view = new DataView(pack.buffer, pack.byteOffset, pack.byteLength);
  const id = view.getUint32(4, true);
  if (view.getUint32(12, true) !== pack.length || crc32(pack.subarray(8)) !== id) return null;
  return id;
}

/** Places of the numbers that decide about RAM in the spec section (docs/pack-format.md). */
const SPEC = { channels: 36, windowFrames: 40, features: 52, arena: 76, scratch: 80, bytes: 96 } as const;
const SPEC_OFFSET_AT = 16;

/** Bytes of RAM that any firmware needs at least for this pack; boards add a little of their own. */
export function packRamAtLeast(pack: Uint8Array): number {
  const view = new DataView(pack.buffer, pack.byteOffset, pack.byteLength);
  const spec = pack.length >= SPEC_OFFSET_AT + 4 ? view.getUint32(SPEC_OFFSET_AT, true) : pack.length;
  if (spec + SPEC.bytes > pack.length) return 0;
  const field = (offset: number): number => view.getUint32(spec + offset, true);
  const window = 4 * field(SPEC.windowFrames) * field(SPEC.channels);
  return window + 4 * field(SPEC.features) + Math.max(4 * field(SPEC.scratch), field(SPEC.arena));
}

/** The slot to write: never the running one; an empty or damaged one rather than one that holds a model. */
export function freeSlot(slots: readonly BoardSlot[]): BoardSlot | null {
  const idle = slots.filter((slot) => !slot.active);
  return idle.find((slot) => slot.state !== 'valid') ?? idle[0] ?? null;
}

/** Writes, verifies, tests and activates `pack`. Rejects with BoardError; the old model then still runs. */
export async function deployPack(
  store: ModelStore,
  identity: Pick<BoardIdentity, 'name' | 'modelRamBytes'>,
  pack: Uint8Array,
  options: DeployOptions,
): Promise<DeployReport> {
  const { clock, signal } = options;
  const report = (step: DeployProgress['step'], done: number, total: number): void => {
    options.onProgress?.({ step, done, total });
  };
  const checkpoint = (): void => {
    if (signal?.aborted) throw cancelled(signal);
  };

  report('checking', 0, 1);
  checkpoint();
  const id = packId(pack);
  if (id === null) {
    throw new BoardError('model-rejected', 'These bytes are no undamaged Mote pack. Train or import the model again.');
  }
  const slots = await store.slots(signal);
  const slot = freeSlot(slots);
  if (!slot) {
    throw new BoardError(
      'not-supported',
      `${identity.name} has no free slot, so a model cannot be written without endangering the one it runs.`,
    );
  }
  if (pack.length > slot.capacityBytes) {
    throw new BoardError(
      'model-too-big',
      `The model is ${pack.length} bytes and ${identity.name} has room for ${slot.capacityBytes}. Make the window shorter or the network smaller.`,
    );
  }
  const ram = packRamAtLeast(pack);
  if (identity.modelRamBytes !== null && ram > identity.modelRamBytes) {
    throw new BoardError(
      'model-too-big',
      `The model needs ${ram} bytes of RAM and ${identity.name} has ${identity.modelRamBytes} for it. Make the window shorter.`,
    );
  }
  report('checking', 1, 1);

  report('writing', 0, pack.length);
  const writeStart = clock();
  const written = await store.put(
    slot.index,
    pack,
    crc32(pack),
    (done) => report('writing', done, pack.length),
    signal,
  );
  const writeMs = clock() - writeStart;
  if (written.modelId !== id) {
    throw new BoardError('verify-mismatch', 'The board reports another model than the one written. Try again.');
  }
  checkpoint();

  report('verifying', 0, pack.length);
  const verifyStart = clock();
  const differs = await store.compare(slot.index, pack, (done) => report('verifying', done, pack.length), signal);
  if (differs) {
    const { from, to } = differs;
    const where = to - from > 1 ? `within bytes ${from} to ${to - 1}` : `in byte ${from}`;
    throw new BoardError(
      'verify-mismatch',
      `What the board has in its flash differs from the model ${where}. The old model still runs. Try again.`,
    );
  }
  const verifyMs = clock() - verifyStart;
  checkpoint();

  report('self-test', 0, 1);
  const selfTest = await store.selfTest(slot.index, (done, total) => report('self-test', done, total), signal);
  report('self-test', selfTest.total, selfTest.total);
  proved(selfTest);
  checkpoint();

  report('switching', 0, 1);
  // From here on nothing can be cancelled: the board switches with one record, or not at all.
  const active = await store.activate(slot.index);
  if (active !== id) {
    throw new BoardError('verify-mismatch', 'The board switched to another model than the one written. Read it back.');
  }
  report('switching', 1, 1);
  report('done', 1, 1);
  return { slot: slot.index, bytes: pack.length, writeMs, verifyMs, selfTest, modelId: id };
}

function proved({ passed, total, firstFailure }: SelfTestReport): void {
  if (total > 0 && passed === total) return;
  throw new BoardError(
    'self-test-failed',
    total === 0
      ? 'The model brings no known answers, so it cannot be proved on the board. The old model still runs.'
      : `Only ${passed} of ${total} windows gave the expected bytes on the board (first difference in window ${firstFailure ?? 0}). The old model still runs. Please report this with the model file.`,
  );
}

/** Reads the pack of a slot (null = the active one) and checks its CRC. */
export async function readPack(
  store: ModelStore,
  slotIndex: number | null,
  options: DeployOptions,
): Promise<Uint8Array> {
  const slots = await store.slots(options.signal);
  const slot = slotIndex === null ? slots.find((s) => s.active) : slots.find((s) => s.index === slotIndex);
  if (!slot?.model) {
    if (slot?.state === 'corrupt') {
      throw new BoardError('slot-corrupt', `Slot ${slot.index} holds damaged bytes and no model. Deploy again.`);
    }
    throw new BoardError('no-model', 'There is no model in this slot of the board. Deploy one first.');
  }
  const total = slot.model.packBytes;
  const pack = await store.read(
    slot.index,
    total,
    (done) => options.onProgress?.({ step: 'verifying', done, total }),
    options.signal,
  );
  if (packId(pack) !== slot.model.id) {
    throw new BoardError('verify-mismatch', 'The bytes read from the board fail their CRC. Read the model once more.');
  }
  return pack;
}
