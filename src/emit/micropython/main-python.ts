/** `main.py` for boards with `model.py`: streams readings as lines of numbers and says what the model recognises. */
import type { Model } from '../model';
import { commentLine, stringLiteral } from './python-literals';

/** First line of a main.py of ours: such a file may be replaced without asking. */
export const MAIN_MARK = '# main.py written by Mote';

/**
 * Prints one line of numbers per reading (the `lines` dialect: recordings can be made from it) and, when a window is
 * full, a line that starts with ">" and is no reading. The micro:bit's accelerometer is known; other boards need their
 * sensor read in `read_sensor`, and the file says so instead of inventing numbers.
 */
export function emitMainPython(model: Model): string {
  const { input } = model;
  const channels = input.channels;
  const names = channels.map(({ name }) => name.replace(/[^\w .-]/g, '_'));
  const wanted = channels.map(({ name, unit }) => (unit === '' ? name : `${name} in ${unit}`)).join(', ');
  const microbit = channels.length === 3;
  return `${[
    MAIN_MARK,
    commentLine(`The model ${model.prefix} wants ${wanted}, ${input.rateHz} times a second.`),
    'import model',
    'import time',
    '',
    ...(microbit
      ? [
          'try:',
          '    # BBC micro:bit: milli-g to m/s2.',
          '    from microbit import accelerometer',
          '',
          '    def read_sensor():',
          '        return [0.00980665 * v for v in accelerometer.get_values()]',
          '',
          'except ImportError:',
          '    # Edit this for your sensor: return the readings in the order, units and range of the recordings.',
          '    def read_sensor():',
          "        raise NotImplementedError('Edit read_sensor in main.py: it must read your sensor.')",
        ]
      : [
          '# Edit this for your sensor: return the readings in the order, units and range of the recordings.',
          'def read_sensor():',
          "    raise NotImplementedError('Edit read_sensor in main.py: it must read your sensor.')",
        ]),
    '',
    '',
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
    `period = ${Math.round(1e6 / input.rateHz)}`,
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
    '    scores = model.push(sample)',
    '    if scores:',
    '        label = model.decide(scores)',
    "        name = 'uncertain' if label < 0 else model.labels[label]",
    "        print('> %s, %d percent' % (name, 100 * (max(scores) + 128) // 256))",
  ].join('\n')}\n`;
}

/**
 * OpenMV: the network runs in the firmware's \`ml\` module from \`model.tflite\`; the features come from \`model.py\`.
 * Form of the calls: \`ml.Model(path, load_to_fb=True)\`, \`predict([ndarray])[0].flatten().tolist()\`, which takes and
 * gives real numbers. Written after published OpenMV examples; not tried on a camera.
 */
export function emitOpenMvMain(model: Model): string {
  const { input, graph } = model;
  const tensor = graph.tensors[graph.input];
  return `${[
    MAIN_MARK,
    commentLine(`Network of ${model.prefix} in OpenMV's ml module; features by model.py. Not tried on a camera.`),
    'import ml',
    'import model',
    'from ulab import numpy as np',
    '',
    "labels = [line.strip() for line in open('labels.txt') if line.strip()]",
    "network = ml.Model('model.tflite', load_to_fb=True)",
    '',
    '',
    '# Edit this for your sensor: one reading of every channel, in the order and units of the recordings.',
    'def read_sensor():',
    "    raise NotImplementedError('Edit read_sensor in main.py: it must read your sensor.')",
    '',
    '',
    'def classify(window):',
    '    bytes_in = model.quantize(window)',
    `    real = [(b - ${(tensor?.zeroPoint ?? 0) + 128}) * ${tensor?.scale ?? 1} for b in bytes_in]`,
    '    return network.predict([np.array([real])])[0].flatten().tolist()',
    '',
    '',
    'window = []',
    'while True:',
    '    window.extend(read_sensor())',
    '    if len(window) == model.WINDOW_FRAMES * model.CHANNELS:',
    '        scores = classify(window)',
    '        print(labels[scores.index(max(scores))], scores)',
    '        window = window[model.STRIDE_FRAMES * model.CHANNELS :]',
    commentLine(`Call it ${input.rateHz} times a second: add a pause that fits your sensor.`),
  ].join('\n')}\n`;
}
