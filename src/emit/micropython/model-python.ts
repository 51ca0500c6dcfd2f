/**
 * `model.py`: a model, or a bare network, as one Python module for MicroPython boards; it also runs under CPython.
 * The same int8 arithmetic and the same float32 features as the C header: the same bytes out.
 */
import { strideFrames, windowFrames, type BlockKind } from '../../dsp/block';
import type { Int8Graph } from '../../quantize/int8-graph';
import { thresholdSteps } from '../check-model';
import { EmitError, type Model } from '../model';
import { selfTestCount } from '../self-test';
import { featureCount, scratchFloats } from '../size';
import { networkPython, type NetworkPython } from './network-python';
import { pythonRuntime } from './python-fragments';
import { bytesLiteral, commentLine, float32Array, int32Array, stringLiteral, tuple } from './python-literals';

const BLOCK_FUNCTION: Readonly<Record<BlockKind, string>> = { raw: '_raw', flatten: '_flatten', spectral: '_spectral' };

/** What `selftest()` reads: known windows and their answers, read one by one so that they take no memory. */
export const TEST_FILE = 'model_test.bin';

/** Constants of the logarithm: the square root of 2, the polynomial, log10(2) in two parts. */
const LOG_CONSTANTS = Float32Array.of(
  1.41421354,
  0.0965098813,
  0.124084137,
  0.173717797,
  0.289529651,
  0.868588984,
  0.30078125,
  0.000248745666,
);

/** A kernel that viper compiled must count with negative numbers and padding before it is believed. */
const KERNEL_CHECKS: Readonly<Record<string, string>> = {
  _dot: "if _dot(b'\\x05\\x02\\xff', 1, b'\\x80\\xfe', 2) != 65026: raise ValueError",
  _conv2d_at: convolutionCheck('_conv2d_at'),
  _depthwise_at: convolutionCheck('_depthwise_at'),
};

function convolutionCheck(name: string): string {
  return (
    `_s = array('i', (-5,)); ${name}(array('i', (-1, -1, 1, 1, 1, 2, 2, 1, 1, 1, 1, 1, 128)), ` +
    `b'\\x81\\x81\\x81\\x82', b'\\x7d', _s)\n if _s[0] != -11: raise ValueError`
  );
}

function indent(lines: readonly string[]): string[] {
  return lines.map((line) => ` ${line}`);
}

/** The integer part, common to whole models and bare networks. `extra` names further functions of the runtime. */
function modulePython(network: NetworkPython, extra: readonly string[], comment: readonly string[]): string[] {
  const runtime = pythonRuntime([...network.runtime, '_crc', '_random', ...extra]);
  const lines = [
    ...comment.map(commentLine),
    '#',
    '# Written by a program; comments and room were left out to save memory.',
    '',
    'from array import array',
    'from struct import pack, unpack',
    '',
  ];
  if (runtime.kernels !== '') {
    const checks = Object.entries(KERNEL_CHECKS)
      .filter(([name]) => runtime.kernels.includes(`def ${name}(`))
      .map(([, check]) => ` ${check}`);
    lines.push(
      `_kernels = '''\n${runtime.kernels}\n'''`,
      '# Compiled to machine code where the port can.',
      'try:',
      ' import micropython',
      " exec(_kernels.replace('@fast', '@micropython.viper'))",
      ...checks,
      // Some ports take the decorator and ignore it; machine words wrap, Python's integers do not.
      " exec('@micropython.viper\\ndef _wraps(a: int) -> int:\\n return a * a')",
      ' FAST = _wraps(65536) == 0',
      'except Exception:',
      ' ptr8 = ptr32 = int',
      " exec(_kernels.replace('@fast\\n', ''))",
      ' FAST = False',
      'del _kernels',
    );
  } else lines.push('FAST = False');
  if (runtime.floats !== '') {
    lines.push(
      "_floats = array('f', (0.0,))",
      `_LOG = ${float32Array(LOG_CONSTANTS)}`,
      "_LARGEST = unpack('<f', b'\\xff\\xff\\x7f\\x7f')[0]",
      "_INFINITY = float('inf')",
      '# False where floats have fewer than 32 bits: features are then close, not equal.',
      "EXACT = pack('<f', unpack('<f', b'\\x01\\x00\\x80\\x3f')[0]) == b'\\x01\\x00\\x80\\x3f'",
      'def F(value):',
      ' _floats[0] = value',
      ' return _floats[0]',
      `_features = '''\n${runtime.floats}\n'''`,
      '# Where floats are float32 already, nothing needs rounding.',
      "exec(_features if 16777216.0 + 1.0 != 16777216.0 else _features.replace('F(', '('))",
      'del _features',
    );
  }
  lines.push(runtime.plain, '', ...network.constants, '', 'def _run():', ...indent(network.run), '');
  lines.push(
    '# The bare network: int8 in, int8 scores out.',
    'def invoke(values):',
    ` if len(values) != ${network.inputLength}: raise ValueError('the network takes ${network.inputLength} values')`,
    ` for i in range(${network.inputLength}): ${network.inputName}[i] = values[i] + 128`,
    ' _run()',
    ` return [value - 128 for value in ${network.outputName}]`,
    '',
    '# True when the integer part gives the very bytes that the studio computed.',
    'def networktest():',
    ` state = ${network.testSeed}`,
    ` values = [0] * ${network.inputLength}`,
    ` answers = bytearray(${network.testCount * network.outputLength})`,
    ` for test in range(${network.testCount}):`,
    `  for i in range(${network.inputLength}):`,
    '   state = _random(state)',
    '   value = state >> 24',
    '   values[i] = value - 256 if value > 127 else value',
    '  scores = invoke(values)',
    `  for i in range(${network.outputLength}): answers[test * ${network.outputLength} + i] = scores[i] + 128`,
    ` return _crc(answers) == ${network.testCrc}`,
    '',
  );
  return lines;
}

/** A network without features, such as one read from a `.tflite`. `name` goes into the comment. */
export function emitNetworkPython(graph: Int8Graph, name: string): string {
  const lines = modulePython(networkPython(graph), [], [`${name}: an int8 network.`]);
  return `${lines.join('\n')}\n`;
}

/** `model.py` of a whole model; `id` is the pack's. Throws EmitError `too-large` or `bad-model`. */
export function emitModelPython(model: Model, id: number, comment: readonly string[]): string {
  const { input, blocks, affine, graph, labels, smoothing, selfTest } = model;
  const network = networkPython(graph);
  const output = graph.tensors[graph.output];
  if (!output) throw new EmitError('bad-model', 'The network of this model has no output.');
  const channels = input.channels.length;
  const frames = windowFrames(input);
  const stride = strideFrames(input);
  const values = frames * channels;
  const rows = smoothing.windows;
  const runtime = [...blocks.map(({ kind }) => BLOCK_FUNCTION[kind]), '_quantize', '_generate'];
  const lines = modulePython(network, runtime, comment);

  lines.push(
    `labels = ${tuple(labels.map(stringLiteral))}`,
    `MODEL_ID = '${id.toString(16).padStart(8, '0')}'`,
    `CHANNELS = ${channels}`,
    `RATE_HZ = ${input.rateHz}`,
    `WINDOW_FRAMES = ${frames}`,
    `STRIDE_FRAMES = ${stride}`,
    `SELFTEST_COUNT = ${selfTestCount(selfTest)}`,
  );
  blocks.forEach((block, index) => {
    lines.push(
      `_x${index} = ${bytesLiteral(block.channels)}`,
      `_i${index} = ${int32Array(block.ints)}`,
      `_f${index} = ${float32Array(block.floats)}`,
    );
  });
  lines.push(
    `_scale = ${float32Array(affine.a)}`,
    `_offset = ${float32Array(affine.b)}`,
    `_window = array('f', bytes(${4 * values}))`,
    `_scratch = array('f', bytes(${4 * scratchFloats(model)}))`,
    `_vector = array('f', bytes(${4 * featureCount(model)}))`,
    '',
    'def _look(window):',
  );
  let at = 0;
  blocks.forEach((block, index) => {
    const name = BLOCK_FUNCTION[block.kind];
    lines.push(
      ` ${name}(window, ${frames}, ${channels}, _x${index}, _i${index}, _f${index}, _scratch, _vector, ${at})`,
    );
    at += block.featureCount;
  });
  lines.push(
    ` _quantize(_vector, _scale, _offset, ${network.inputName})`,
    '',
    '# The input of the network for a window, bytes + 128: for programs that run the network elsewhere.',
    'def quantize(window):',
    " _look(window if isinstance(window, array) else array('f', window))",
    ` return bytes(${network.inputName})`,
    '',
    '# int8 scores of one window: WINDOW_FRAMES * CHANNELS numbers, window[frame * CHANNELS + channel].',
    'def classify(window):',
    ` if len(window) != ${values}: raise ValueError('a window has ${values} numbers')`,
    " _look(window if isinstance(window, array) else array('f', window))",
    ' _run()',
    ` return [value - 128 for value in ${network.outputName}]`,
    '',
    '# Index of the highest score, the lowest on ties.',
    'def best(scores):',
    ' return list(scores).index(max(scores))',
    '',
    '_filled = 0',
    '_skip = 0',
    '_history = []',
    '',
    '# Forgets the samples and scores so far: call it after a pause in the stream.',
    'def reset():',
    ' global _filled, _skip, _history',
    ' _filled = 0',
    ' _skip = 0',
    ' _history = []',
    '',
    '# One sample of every channel, RATE_HZ times a second. Scores when it completed a window, else None.',
    'def push(sample):',
    ' global _filled, _skip',
    ' if _skip > 0:',
    '  _skip -= 1',
    '  return None',
    ` start = _filled * ${channels}`,
    ` for i in range(${channels}): _window[start + i] = sample[i]`,
    ' _filled += 1',
    ` if _filled < ${frames}: return None`,
    ' scores = classify(_window)',
    ...(stride < frames
      ? [
          ` for i in range(${(frames - stride) * channels}): _window[i] = _window[i + ${stride * channels}]`,
          ` _filled = ${frames - stride}`,
        ]
      : [' _filled = 0', ` _skip = ${stride - frames}`]),
    ' return scores',
    '',
    '# The label after smoothing over the last windows, or -1 when uncertain.',
    'def decide(scores):',
    ' global _history',
    ` _history = (_history + [scores])[-${rows}:]`,
    ` sums = [sum([row[i] - ${output.zeroPoint} for row in _history]) for i in range(${labels.length})]`,
    ' highest = max(sums)',
    ` return sums.index(highest) if highest >= ${thresholdSteps(model)} * len(_history) else -1`,
    '',
    `# Number of known windows from first to before last whose features or scores differ from the studio's bytes.`,
    `def selftest(first=0, last=${selfTestCount(selfTest)}):`,
    ` scale = ${float32Array(selfTest.channelScale)}`,
    ` offset = ${float32Array(selfTest.channelOffset)}`,
    ' failed = 0',
    ` f = open('${TEST_FILE}', 'rb')`,
    " if f.read(4) != pack('<I', int(MODEL_ID, 16)):",
    '  f.close()',
    `  raise ValueError('${TEST_FILE} belongs to another model')`,
    ' for index in range(last):',
    `  if index < ${selfTest.recordedCount}:`,
    `   for at in range(0, ${values}, ${channels}):`,
    `    frame = unpack('<${channels}h', f.read(${2 * channels}))`,
    `    for i in range(${channels}): _window[at + i] = frame[i] * scale[i]`,
    '  elif index >= first:',
    `   _generate(${selfTest.seed}, index - ${selfTest.recordedCount}, ${channels}, scale, offset, _window)`,
    "  crc = unpack('<I', f.read(4))[0]",
    `  known = f.read(${labels.length})`,
    '  if index < first: continue',
    '  _look(_window)',
    // The network may write its results over its input.
    `  same = _crc(${network.inputName}) == crc`,
    '  _run()',
    `  for i in range(${labels.length}):`,
    `   if ${network.outputName}[i] != known[i] ^ 128: same = False`,
    '  if not same: failed += 1',
    ' f.close()',
    ' reset()',
    ' return failed',
  );
  return `${lines.join('\n')}\n`;
}

/** The bytes of `TEST_FILE`: the model's id, then for every window its int16 (recorded ones only), CRC and scores. */
export function testFile(model: Model, id: number): Uint8Array {
  const { selfTest, input, labels } = model;
  const values = windowFrames(input) * input.channels.length;
  const count = selfTestCount(selfTest);
  const bytes = new Uint8Array(4 + 2 * values * selfTest.recordedCount + count * (4 + labels.length));
  const view = new DataView(bytes.buffer);
  view.setUint32(0, id, true);
  let at = 4;
  for (let window = 0; window < count; window++) {
    if (window < selfTest.recordedCount) {
      for (let i = 0; i < values; i++, at += 2) {
        view.setInt16(at, selfTest.recorded[window * values + i] as number, true);
      }
    }
    view.setUint32(at, selfTest.featureCrc[window] as number, true);
    at += 4;
    for (let i = 0; i < labels.length; i++) view.setInt8(at++, selfTest.scores[window * labels.length + i] as number);
  }
  return bytes;
}
