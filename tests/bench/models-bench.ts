/**
 * The networks of model-zoo.ts on emulated cores: cycles by layer, memory, code and planning time, beside TensorFlow Lite
 * Micro with CMSIS-NN. Run: npm run bench -- models
 */
import { multiplyAdds } from '../../src/emit/network-cost';
import { writeTflite } from '../../src/emit/tflite/write-tflite';
import { elementCount } from '../../src/graph/float-graph';
import { removeDeadChannels } from '../../src/quantize/dead-channels';
import type { Int8Graph } from '../../src/quantize/int8-graph';
import { createInt8Interpreter } from '../../src/quantize/interpreter';
import { Random } from '../../src/signal/random';
import { compileJob } from '../../src/worker/compile-job';
import { CrossBench } from '../cross/cross-bench';
import { CROSS_TARGETS, whyMissing } from '../cross/cross-target';
import { networkProgram, parseOutput } from '../cross/network-program';
import { layersOf, peerCycles, peerRam, withMarks } from './layer-costs';
import { ZOO, zooGraph } from './model-zoo';

type Plan = Parameters<typeof layersOf>[2];

const CORES = ['Cortex-M4', 'Cortex-M0+'] as const;
const OURS = /^net_|^mem(cpy|set)$|^__(aeabi_|mul|div)/;
/** What we set out to need of TFLM's cycles, RAM and code. */
const GOALS = { cycles: 0.6, ram: 0.5, code: 0.2 } as const;

function number(value: number): string {
  return Math.round(value).toLocaleString('en');
}

/**
 * Instructions that no kernel for the core can do without: on M4 an SMLAD for two products, on M0+ a multiplication and an
 * addition for each; and for each output of a layer with weights the rescaling.
 */
function unavoidable(graph: Int8Graph, core: 'm4' | 'm0plus'): number {
  const [product, output] = core === 'm4' ? [0.5, 6] : [2, 30];
  return graph.ops.reduce((sum, op) => {
    if (!('weights' in op)) return sum;
    return sum + product * multiplyAdds(op, graph) + output * elementCount(graph.tensors[op.output]?.shape ?? []);
  }, 0);
}

function share(name: string, ours: number, peer: number | null, goal: number, estimated = false): string {
  if (peer === null) return `${name} -`;
  const ratio = ours / peer;
  return `${name} ${ratio.toFixed(2)} of ${number(peer)}${estimated ? ' (estimated)' : ''}${ratio > goal ? ' MISSED' : ''}`;
}

const bench = new CrossBench();
const wanted = process.argv.slice(2);
try {
  for (const model of ZOO) {
    if (wanted.length > 0 && !wanted.some((word) => model.name.includes(word))) continue;
    const graph = zooGraph(model);
    const bytes = writeTflite(graph);
    const interpreter = createInt8Interpreter(graph);
    const random = new Random(3);
    const input = Int8Array.from({ length: interpreter.inputLength }, () => random.integer(256) - 128);
    const expected = Array.from(interpreter.run(input));
    console.log(`\n${model.name}: ${graph.ops.length} operations, ${number(bytes.length)} B as .tflite`);
    for (const name of CORES) {
      const target = CROSS_TARGETS.find((known) => known.name === name);
      const missing = target ? whyMissing(target) : 'unknown';
      if (!target || missing !== null) {
        console.log(`  ${name}: left out, ${missing ?? ''}`);
        continue;
      }
      const started = performance.now();
      const compiled = await compileJob({ bytes, fileName: 'net.tflite', target: target.made });
      const took = performance.now() - started;
      bench.write('net.h', compiled.header);
      const program = bench.compile(target, bench.write('main.c', networkProgram('net.h', 'net', input, 1)));
      const run = bench.count(target, program);
      const { outputs, stackBytes } = parseOutput(run.output);
      const same = outputs.length === expected.length && outputs.every((value, i) => value === expected[i]);
      const sizes = bench.sizes(target, program, OURS);
      const { arenaBytes } = compiled.plan;
      const ram = arenaBytes + input.length + expected.length;
      console.log(
        `  ${name}: ${number(run.cycles)} cycles, ${(run.cycles / compiled.macs).toFixed(2)} per multiply-add; arena ` +
          `${number(arenaBytes)} B (bound ${number(compiled.plan.lowerBoundBytes)}), stack ${stackBytes} B, code ` +
          `${number(sizes.codeBytes)} B, constants ${number(compiled.constantBytes)} B; compiled in ${took.toFixed(0)} ms; ` +
          `predicted ${compiled.cycles === null ? '-' : `${((compiled.cycles / run.cycles - 1) * 100).toFixed(0)} %`}; ` +
          `bytes ${same ? 'identical' : 'DIFFER'}`,
      );
      const core = target.core === 'm4' ? 'm4' : 'm0plus';
      const measured = model.peer[core];
      const estimate = peerCycles(graph, core);
      const peer = measured ?? estimate;
      const peerMemory = model.peer.ram ?? peerRam(graph);
      console.log(
        `    ${share('cycles', run.cycles, peer, GOALS.cycles, measured === null)}; ` +
          `${share('RAM with input and output', ram, peerMemory, GOALS.ram, model.peer.ram === null)}; ` +
          share('code', sizes.codeBytes, model.peer.code, GOALS.code),
      );
      if (measured !== null) {
        console.log(`    estimate of the measured peer: ${((estimate / measured - 1) * 100).toFixed(0)} %`);
      }
      const least = unavoidable(removeDeadChannels(graph).graph, core);
      console.log(`    unavoidable on this core: ${number(least)} instructions (products and rescaling)`);
      bench.write('net.h', withMarks(compiled.header, 'net'));
      const marked = bench.count(
        target,
        bench.compile(target, bench.write('main.c', networkProgram('net.h', 'net', input, 1))),
      );
      for (const { title, macs, cycles } of layersOf(
        compiled.header,
        'net',
        JSON.parse(compiled.planJson) as Plan,
        marked.marks,
      )) {
        console.log(
          `      ${title.padEnd(64)} ${number(cycles).padStart(11)}${macs > 0 ? ` ${(cycles / macs).toFixed(2).padStart(6)} per multiply-add` : ''}`,
        );
      }
      if (!same) process.exitCode = 1;
    }
  }
} finally {
  bench.close();
}
