/** Packs on the processors of our boards, emulated: the loader, with the kernels of each, gives the known answers. */
import { afterAll, describe, expect, it } from 'vitest';
import { packRamAtLeast } from '../../src/board/deploy';
import { networkModel } from '../../src/emit/network-model';
import { readPack, writePack } from '../../src/emit/pack';
import { selfTestCount } from '../../src/emit/self-test';
import { elementCount } from '../../src/graph/float-graph';
import type { Int8Graph } from '../../src/quantize/int8-graph';
import { quantizeGraph } from '../../src/quantize/quantize-graph';
import { randomInputs, randomNetwork } from '../fixtures/sample-networks';
import { Random } from '../../src/signal/random';
import { randomOpGraph, type OpGroup } from '../conformance/random-op-graph';
import { CrossBench } from './cross-bench';
import { AVR_TARGETS, CROSS_TARGETS, whyMissing, type AnyTarget, type AvrTarget } from './cross-target';
import { LOADER_FLAGS, LOADER_SOURCES, packProgram, parsePacks } from './pack-program';

const GROUPS: readonly OpGroup[] = ['fullyConnected', 'conv2d', 'depthwiseConv2d'];
const MOST_LABELS = 256;
const LAYERS = 30;
const NETWORKS = 8;
const WINDOWS = 4;
const RAM = 1 << 20;
/** Longest pack and most RAM for its model that leave an ATmega2560 a stack. */
const MEGA_PACK = 4096;
const MEGA_MODEL = 1536;
/** Most packs that are run there: each is a program of its own. */
const MEGA_PACKS = 10;

const bench = new CrossBench();
afterAll(() => bench.close());

function outputsOf(graph: Int8Graph): number {
  return elementCount(graph.tensors[graph.output]?.shape ?? []);
}

/** One-layer networks of a group; those with more outputs than a model has labels are rolled again. */
function layers(group: OpGroup): Uint8Array[] {
  const random = new Random(40 + group.length);
  return Array.from({ length: LAYERS }, (_, index) => {
    let graph = randomOpGraph(group, random);
    while (outputsOf(graph) > MOST_LABELS) graph = randomOpGraph(group, random);
    return writePack(networkModel(graph, `p${index}`, null));
  });
}

function networks(): Uint8Array[] {
  return Array.from({ length: NETWORKS }, (_, index) => {
    const random = new Random(700 + index);
    const float = randomNetwork(random);
    const size = elementCount(float.tensors[float.input]?.shape ?? []);
    return writePack(networkModel(quantizeGraph(float, randomInputs(random, size, 8)), `p${index}`, null));
  });
}

const packs = [...GROUPS.flatMap(layers), ...networks()];

/** What the loader must say of these packs: as many known answers as it was asked. */
async function expectKnownAnswers(target: AnyTarget, some: readonly Uint8Array[], ram: number): Promise<void> {
  const source = bench.write('main.c', packProgram(some, WINDOWS, ram));
  const program = bench.compile(target, source, [...LOADER_FLAGS, ...LOADER_SOURCES]);
  const { same } = parsePacks(await bench.run(target, program));
  some.forEach((pack, index) => {
    const { selfTest, graph } = readPack(pack);
    const kinds = graph.ops.map(({ kind }) => kind).join(' ');
    expect(same[index], `pack ${packs.indexOf(pack)}: ${kinds}`).toBe(Math.min(WINDOWS, selfTestCount(selfTest)));
  });
}

// A Cortex-M0 has the kernels of M0+, and no room for so many packs; firmware for it is tested in tests/c. Other cores than
// these run the portable kernels.
for (const target of CROSS_TARGETS.filter(({ name }) => /^(Cortex-M(0\+|4|7|33|55)|RV32IMC)$/.test(name))) {
  const missing = whyMissing(target);
  describe.skipIf(missing !== null)(`${target.name}${missing === null ? '' : ` (${missing})`}`, () => {
    it('gives the known answers of random layers and networks', async () => {
      // So many at a time as there is flash for.
      for (let at = 0, end = 0; at < packs.length; at = end) {
        let bytes = 0;
        while (end < packs.length && bytes + (packs[end] as Uint8Array).length < target.flashBytes / 2) {
          bytes += (packs[end++] as Uint8Array).length;
        }
        await expectKnownAnswers(target, packs.slice(at, end), Math.min(RAM, target.ramBytes / 2));
      }
    }, 240_000);
  });
}

// A Mega runs packs from RAM, one at a time.
const mega = AVR_TARGETS.find(({ mcu }) => mcu === 'atmega2560') as AvrTarget;
const megaMissing = whyMissing(mega);
describe.skipIf(megaMissing !== null)(`${mega.name}${megaMissing === null ? '' : ` (${megaMissing})`}`, () => {
  it('gives the known answers of the packs that fit its RAM', async () => {
    const fitting = packs.filter((pack) => pack.length <= MEGA_PACK && packRamAtLeast(pack) <= MEGA_MODEL);
    const step = Math.ceil(fitting.length / MEGA_PACKS);
    const some = fitting.filter((_, index) => index % step === 0);
    expect(some.length).toBeGreaterThan(5);
    for (const pack of some) await expectKnownAnswers(mega, [pack], MEGA_MODEL + 256);
  }, 240_000);
});
