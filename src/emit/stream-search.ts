/**
 * Which ops to stream. Greedy: as long as the step with the most bytes can be relieved by a stream over it, the one that
 * relieves it most is taken; in the end, streams that the arena does not need are dropped, and the others get as many
 * lines per turn as there is room for.
 */
import type { Int8Graph } from '../quantize/int8-graph';
import type { NetworkPlan } from './network-plan';
import { followers, MOST_STAGES, stagesOf, type Stream } from './stream';
import type { Target } from './target';

/** Lines per turn that are tried, fewest first. */
const STRIPS = [1, 2, 4, 8, 16] as const;
/** Choices that are weighed in all: keeps the search below a second however large the network is. */
const MOST_CHOICES = 4000;
/** An arena so small is left alone: a stream would cost more flash than it saves memory. */
const LEAST_BYTES = 1024;
/** What a stream must save to be worth its time and flash. */
const LEAST_SAVED = 0.05;

/**
 * The plan with the best streams found, or `plain`, the plan without any. `usageOf`: bytes in use at each step, from -1;
 * `planWith`: the whole plan.
 */
export function improveStreams(
  graph: Int8Graph,
  target: Target,
  plain: NetworkPlan,
  planWith: (streams: readonly Stream[]) => NetworkPlan,
  usageOf: (streams: readonly Stream[]) => readonly number[],
): NetworkPlan {
  if (plain.arenaBytes < LEAST_BYTES) return plain;
  const next = followers(graph);
  const chains: (readonly number[])[] = [];
  graph.ops.forEach((_, from) => {
    const chain = [from];
    for (let op = next[from]; op != null && chain.length < MOST_STAGES; op = next[op]) {
      chain.push(op);
      if (stagesOf(chain, graph, target)) chains.push([...chain]);
      else break;
    }
  });
  if (chains.length === 0) return plain;

  let streams: readonly Stream[] = [];
  let used = usageOf(streams);
  let left = MOST_CHOICES;
  for (;;) {
    const peak = Math.max(...used);
    const step = used.indexOf(peak) - 1;
    /** The step is inside, or holds the input or the output of the chain. */
    const relieves = (chain: readonly number[]): boolean => {
      return (chain[0] as number) - 1 <= step && step <= (chain.at(-1) as number);
    };
    let best: { streams: readonly Stream[]; used: readonly number[]; chain: readonly number[]; strip: number } | null =
      null;
    for (const chain of chains) {
      if (!relieves(chain)) continue;
      const others = streams.filter(({ ops }) => !ops.some((op) => chain.includes(op)));
      for (const strip of STRIPS) {
        if (left-- <= 0) break;
        const choice = [...others, { ops: chain, strip }];
        const bytes = usageOf(choice);
        const better = compare(bytes, best?.used ?? used);
        // Of equals the shorter chain.
        if (better < 0 || (better === 0 && best && chain.length < best.chain.length)) {
          best = { streams: choice, used: bytes, chain, strip };
        }
      }
    }
    if (!best) break;
    ({ streams, used } = best);
  }
  if (streams.length === 0) return plain;

  let plan = planWith(streams);
  for (const stream of [...streams]) {
    const without = streams.filter((other) => other !== stream);
    const smaller = planWith(without);
    if (smaller.arenaBytes <= plan.arenaBytes) [streams, plan] = [without, smaller];
  }
  if (plan.arenaBytes > plain.arenaBytes * (1 - LEAST_SAVED)) return plain;
  for (let index = 0; index < streams.length; index++) {
    for (const strip of STRIPS) {
      const stream = streams[index] as Stream;
      if (strip <= stream.strip) continue;
      const wider = streams.map((other) => (other === stream ? { ...stream, strip } : other));
      const same = planWith(wider);
      if (same.arenaBytes > plan.arenaBytes) break;
      [streams, plan] = [wider, same];
    }
  }
  return plan;
}

/** Which of two lists of bytes has the smaller peak; of equal ones, fewer steps at it. */
function compare(a: readonly number[], b: readonly number[]): number {
  const [most, other] = [Math.max(...a), Math.max(...b)];
  const at = (list: readonly number[], peak: number): number => list.filter((bytes) => bytes === peak).length;
  return most !== other ? most - other : at(a, most) - at(b, other);
}
