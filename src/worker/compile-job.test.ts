import { describe, expect, it } from 'vitest';
import { writeFloatTflite, writeMixedTflite, writeTflite } from '../emit/tflite/write-tflite';
import type { FloatGraph } from '../graph/float-graph';
import { quantizeGraph } from '../quantize/quantize-graph';
import { quantizeMixed } from '../quantize/quantize-mixed';
import { randomInputs, SampleNetwork } from '../../tests/fixtures/sample-networks';
import { Random } from '../signal/random';
import { compileJob, type CompileInputs, type CompileOutputs } from './compile-job';

/** 32 inputs; softmax over more classes than int8 can hold when `wide`. */
function network(wide: boolean): FloatGraph {
  const n = new SampleNetwork(new Random(2), [4, 4, 2]);
  const conv = n.conv(0, 4, { activation: 'relu' });
  n.dense(n.softmax(n.dense(n.flatten(conv), wide ? 2000 : 20)), 3);
  return n.build();
}

const inputs = randomInputs(new Random(3), 32, 16);
const calibration = Float32Array.from(inputs.flatMap((input) => [...input]));

function compile(bytes: Uint8Array, options: Partial<CompileInputs> = {}): Promise<CompileOutputs> {
  return compileJob({ bytes, fileName: 'net.tflite', target: 'cortex-m4', ...options });
}

interface PlanOp {
  readonly kind: string;
  readonly type: string;
  readonly macs: number;
}

function planOf(result: CompileOutputs) {
  return JSON.parse(result.planJson) as { kind: string; ops: PlanOp[]; floatLayers: { why: string; name: string }[] };
}

describe('compileJob', () => {
  it('compiles int8 networks without any float', async () => {
    const result = await compile(writeTflite(quantizeGraph(network(false), inputs)));
    expect(result.kind).toBe('int8');
    expect(result.floatLayers).toEqual([]);
    expect(result.header).not.toContain('float *');
    expect(result.pack).not.toBeNull();
  });

  it('says that a pack holds no more classes than boards can tell', async () => {
    const n = new SampleNetwork(new Random(4), [8]);
    n.dense(0, 300);
    const result = await compile(writeTflite(quantizeGraph(n.build(), randomInputs(new Random(3), 8, 4))));
    expect(result.header).toContain('#define NET_OUTPUT_SIZE 300');
    expect(result.pack).toBeNull();
    expect(result.packProblem).toContain('300 values');
  });

  it('compiles float networks as they are when there is nothing to quantize them with', async () => {
    const result = await compile(writeFloatTflite(network(true)));
    expect(result.kind).toBe('float');
    expect(result.header).toContain('int net_invoke(const float input[NET_INPUT_SIZE], float output[NET_OUTPUT_SIZE])');
    expect(result.pack).toBeNull();
    expect(result.packProblem).toContain('calibration');
    // The reshape costs nothing and is not listed.
    expect(result.floatLayers.map(({ kind }) => kind)).toEqual([
      'conv2d',
      'fullyConnected',
      'softmax',
      'fullyConnected',
    ]);
    expect(result.macs).toBe(4 * 18 * 4 + 16 * 2000 + 2000 * 3);
    expect(result.floatLayers[1]).toMatchObject({
      macs: 32_000,
      constantBytes: 4 * (32_000 + 2000),
      outputBytes: 8000,
    });
    expect(planOf(result).ops.every(({ type }) => type === 'float')).toBe(true);
  });

  it('keeps float what int8 cannot hold, only when that is allowed', async () => {
    const file = writeFloatTflite(network(true));
    await expect(compile(file, { calibration })).rejects.toMatchObject({
      name: 'QuantizeError',
      code: 'unsupported-op',
    });
    const result = await compile(file, { calibration, allowFloat: true });
    expect(result.kind).toBe('mixed');
    expect(result.header).toContain(
      'int net_invoke(const int8_t input[NET_INPUT_SIZE], int8_t output[NET_OUTPUT_SIZE])',
    );
    expect(result.header).toContain('Float32, with 0 of the multiply-adds: softmax "tensor 4".');
    expect(result.packProblem).toContain('this one has float layers');
    expect(result.floatLayers).toMatchObject([
      { kind: 'softmax', why: 'Int8 cannot hold it: softmax over 2000 classes.', macs: 0, outputBytes: 8000 },
    ]);
    expect(result.notes.join()).toContain('except for what stays float');
    expect(planOf(result).floatLayers).toHaveLength(1);
    expect(planOf(result).ops.map(({ type }) => type)).toEqual([
      'int8',
      'int8',
      'int8',
      'conversion',
      'float',
      'conversion',
      'int8',
    ]);
  });

  it('keeps layers float by name, and needs no float when none is left', async () => {
    const float = network(false);
    const file = writeFloatTflite(float);
    const name = float.tensors[float.ops[0]?.output ?? 0]?.name ?? '';
    const result = await compile(file, { calibration, floatLayers: [name] });
    expect(result.floatLayers).toMatchObject([{ kind: 'conv2d', name, why: 'It was asked for by name.' }]);
    expect(result.header).toContain('net_invoke(const float input[NET_INPUT_SIZE], int8_t output[NET_OUTPUT_SIZE])');
    const all = await compile(file, { calibration, allowFloat: true });
    expect(all.kind).toBe('int8');
    await expect(compile(file, { calibration, floatLayers: ['none'] })).rejects.toThrow('no layer "none"');
  });

  it('compiles files that are mixed already', async () => {
    const { graph } = quantizeMixed(network(true), inputs, { allowFloat: true });
    const result = await compile(writeMixedTflite(graph));
    expect(result.kind).toBe('mixed');
    expect(result.floatLayers.map(({ kind }) => kind)).toEqual(['softmax']);
    expect(result.floatLayers[0]?.why).toContain('The file holds it');
  });

  it('says when the flags for float layers do nothing', async () => {
    const result = await compile(writeTflite(quantizeGraph(network(false), inputs)), { allowFloat: true });
    expect(result.notes.join()).toContain('float layers');
  });

  it('says what quantization changed, and gives the quantized network as a file', async () => {
    const file = writeFloatTflite(network(false));
    const bytes = new Uint8Array(calibration.buffer);
    const stages = new Set<string>();
    let time = 0;
    const result = await compileJob(
      {
        bytes: file,
        fileName: 'net.tflite',
        target: 'cortex-m4',
        calibration: { bytes, fileName: 'inputs.bin' },
        quantization: { equalize: 'auto', biasCorrection: true },
      },
      // So late that every step is followed by a pause.
      { now: () => (time += 1000), onProgress: ({ stage, done }) => stages.add(`${stage} ${done}`) },
    );
    expect(result).toMatchObject({ kind: 'int8', importedKind: 'float', inputShape: [4, 4, 2] });
    expect(result.quantization).toMatchObject({ inputs: 16, compared: 16 });
    expect(result.quantization?.lowest).toBe(Math.min(...calibration));
    expect(result.quantization?.highest).toBe(Math.max(...calibration));
    expect(result.quantization?.agreement).toBeGreaterThan(0.8);
    expect(result.quantization?.layers.map(({ kind }) => kind)).toContain('conv2d');
    for (const step of ['ranges 16', 'choice 32', 'correction 16', 'comparison 16']) expect(stages).toContain(step);
    const again = await compile(result.tflite as Uint8Array);
    expect(again.pack).toEqual(result.pack);
    // The same numbers without a file.
    const direct = await compile(file, { calibration, quantization: { equalize: 'auto', biasCorrection: true } });
    expect(direct.header).toBe(result.header);
  });

  it('stops in the middle of the calibration', async () => {
    const abort = new AbortController();
    let time = 0;
    const running = compileJob(
      { bytes: writeFloatTflite(network(false)), fileName: 'net.tflite', target: 'generic', calibration },
      { now: () => (time += 1000), signal: abort.signal, onProgress: ({ done }) => done === 3 && abort.abort() },
    );
    await expect(running).rejects.toMatchObject({ name: 'LearnError', code: 'cancelled' });
  });

  it('refuses calibration inputs of another size and says what was expected', async () => {
    const file = writeFloatTflite(network(false));
    const given = { bytes: new Uint8Array(4 * 33), fileName: 'inputs.bin' };
    await expect(compile(file, { calibration: given })).rejects.toThrow('a multiple of 128 bytes');
    await expect(compile(file, { calibration: new Float32Array(33) })).rejects.toMatchObject({
      name: 'QuantizeError',
      code: 'bad-input',
    });
  });
});
