/** `main.py` for boards with `model.py`: streams readings as lines of numbers and says what the model recognises. */
import { crc32 } from '../crc32';
import type { Model } from '../model';
import { commentLine, stringLiteral } from './python-literals';
import { SWITCH_PYTHON } from './switch-python';

/** How a main.py of ours begins; a checksum of what follows comes behind it. */
const MAIN_MARK = '# main.py written by Mote, ';
/** Reads the sensor; a person's file, never overwritten. */
export const SENSOR_FILE = 'read_sensor.py';
/** OpenMV's `ml.Model('model.tflite')` takes the labels from the text file of the same name. */
export const LABELS_FILE = 'model.txt';

const hex = (value: number): string => value.toString(16).padStart(8, '0');

function marked(lines: readonly string[]): string {
  const rest = `${lines.join('\n')}\n`;
  return `${MAIN_MARK}${hex(crc32(new TextEncoder().encode(rest)))}\n${rest}`;
}

/** True for a main.py that was written here and that nobody has changed since: it may be replaced without asking. */
export function isGeneratedMain(content: Uint8Array): boolean {
  const end = content.indexOf(0x0a);
  if (end < 0) return false;
  return new TextDecoder().decode(content.subarray(0, end)) === `${MAIN_MARK}${hex(crc32(content.subarray(end + 1)))}`;
}

/** Finishes a switch that a power cut interrupted. */
const FINISH = ['try:', ...SWITCH_PYTHON.map((line) => ` ${line}`), 'except Exception:', ' pass'];

/** One reading per period, in time.ticks_us() where the port has it. `body` gets `sample`. */
function streamLoop(model: Model, classify: readonly string[]): string[] {
  const { rateHz, channels } = model.input;
  const names = channels.map(({ name }) => name.replace(/[^\w .-]/g, '_'));
  return [
    'try:',
    '    ticks = time.ticks_us',
    '    since = time.ticks_diff',
    '    later = time.ticks_add',
    'except AttributeError:',
    '    ticks = lambda: int(time.time() * 1000000)',
    '    since = lambda a, b: a - b',
    '    later = lambda a, b: a + b',
    '',
    `print(${stringLiteral(names.join(','))})`,
    `period = ${Math.round(1e6 / rateHz)}`,
    'due = ticks()',
    'while True:',
    '    while since(ticks(), due) < 0:',
    '        pass',
    '    due = later(due, period)',
    '    if since(ticks(), due) > 10 * period:',
    '        # A classification took longer than the sensor waits: samples are left out rather than squeezed.',
    '        model.reset()',
    '        due = ticks()',
    '    sample = read_sensor()',
    "    print(','.join([str(v) for v in sample]))",
    ...classify,
    '    if scores:',
    '        label = model.decide(scores)',
    "        name = 'uncertain' if label < 0 else labels[label]",
    "        print('> %s, %d percent' % (name, 100 * (max(scores) + 128) // 256))",
  ];
}

/**
 * Prints one line of numbers per reading (the `lines` dialect: recordings can be made from it) and, when a window is
 * full, a line that starts with ">" and is no reading. The sensor is read by `SENSOR_FILE`.
 */
export function emitMainPython(model: Model): string {
  return marked([
    commentLine(`Streams readings and classifies them with the model ${model.prefix}. Your sensor: ${SENSOR_FILE}.`),
    ...FINISH,
    'import time',
    'import model',
    'from read_sensor import read_sensor',
    '',
    'labels = model.labels',
    ...streamLoop(model, ['    scores = model.push(sample)']),
  ]);
}

/**
 * OpenMV: features by `model.py`, the network by the firmware's `ml` module from `model.tflite`. The input is handed
 * over by a callable that fills the tensor with int8: an ndarray would be cut off, not rounded, when the firmware
 * quantizes it. The output comes as real numbers, which are exact multiples of the output's scale.
 *
 * Source: OpenMV documentation, "ml --- Machine Learning" (sources of firmware 5.0.0) and `py_ml.c`,
 * `py_ml_process_input`. `load_to_fb` of older firmware is left out: newer firmware has no such argument.
 */
export function emitOpenMvMain(model: Model): string {
  const { graph } = model;
  const output = graph.tensors[graph.output];
  return marked([
    commentLine(`Network of ${model.prefix} in OpenMV's ml module, features by model.py. Your sensor: ${SENSOR_FILE}.`),
    ...FINISH,
    'import time',
    'import ml',
    'import model',
    'from read_sensor import read_sensor',
    '',
    "network = ml.Model('model.tflite')",
    '# The lines of model.txt; older firmware does not read it.',
    "labels = getattr(network, 'labels', None) or model.labels",
    '',
    '',
    '# int8 scores of a window.',
    'def network_scores(window):',
    '    values = model.quantize(window)',
    '',
    '    def fill(tensor, shape, dtype):',
    '        for i in range(len(values)):',
    '            tensor[i] = values[i] ^ 128',
    '',
    '    real = network.predict([fill])[0].flatten().tolist()',
    `    return [int(round(v / ${output?.scale ?? 1})) + ${output?.zeroPoint ?? 0} for v in real]`,
    '',
    '',
    'model.classify = network_scores',
    ...streamLoop(model, ['    scores = model.push(sample)']),
  ]);
}

/** Units of acceleration, as the number of them in one milli-g. */
const MILLI_G: Readonly<Record<string, number>> = { 'm/s2': 0.00980665, g: 0.001, mg: 1 };

/**
 * `SENSOR_FILE`: a function that gives one number for each channel. The accelerometers of the micro:bit and of OpenMV
 * cameras are known when the model wants three channels of acceleration; else the file says what to write, and raises
 * instead of inventing numbers.
 */
export function emitSensorPython(model: Model): string {
  const { channels, rateHz } = model.input;
  const wanted = channels.map(({ name, unit }) => (unit === '' ? name : `${name} in ${unit}`)).join(', ');
  const unit = channels[0]?.unit ?? '';
  const factor = channels.length === 3 && channels.every((one) => one.unit === unit) ? MILLI_G[unit] : undefined;
  const unknown = [
    '# Return the readings in the order, the units and the range of the recordings.',
    'def read_sensor():',
    `    raise NotImplementedError('Edit ${SENSOR_FILE}: it must read your sensor.')`,
  ];
  const scaled = factor === 1 ? 'list(V)' : `[${factor ?? 1} * v for v in V]`;
  return `${[
    commentLine(`The model wants ${wanted}, ${rateHz} times a second. This file is yours: it is not overwritten.`),
    ...(factor === undefined
      ? unknown
      : [
          'try:',
          '    # BBC micro:bit: milli-g.',
          '    from microbit import accelerometer',
          '',
          '    def read_sensor():',
          `        return ${scaled.replace('V', 'accelerometer.get_values()')}`,
          '',
          'except ImportError:',
          '    try:',
          '        # OpenMV cameras with a motion sensor: milli-g.',
          '        import imu',
          '',
          '        def read_sensor():',
          `            return ${scaled.replace('V', 'imu.acceleration_mg()')}`,
          '',
          '    except ImportError:',
          ...unknown.map((line) => `        ${line}`),
        ]),
  ].join('\n')}\n`;
}
