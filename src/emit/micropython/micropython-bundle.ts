/** Everything that a MicroPython board gets for a model: a pure function of the pack. */
import { emitHeader } from '../header';
import { hasReceipt } from '../model';
import { packId, readPack } from '../pack';
import { receiptLines } from '../receipt-text';
import { measureModel } from '../size';
import { writeTflite } from '../tflite/write-tflite';
import { emitMainPython, emitOpenMvMain, emitSensorPython, LABELS_FILE, SENSOR_FILE } from './main-python';
import { emitModelPython, TEST_FILE, testFile } from './model-python';

export const MODEL_FILE = 'model.py';
export const TFLITE_FILE = 'model.tflite';

/** Path with forward slashes, and what lies there. */
export interface BundleFile {
  readonly path: string;
  readonly bytes: Uint8Array;
}

export interface MicroPythonBundle {
  /** What must be on the board: `model.py` and its known answers; with `ml` also what that module loads. */
  readonly model: readonly BundleFile[];
  readonly main: BundleFile;
  /** Goes to the board when it has none of this name. */
  readonly sensor: BundleFile;
  /** The same model for other programs: `model.tflite` (unless it is needed) and `model.h`, most useful first. */
  readonly extras: readonly BundleFile[];
}

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

/**
 * `ml` true: for firmware with OpenMV's `ml` module, which runs the network from `model.tflite`. A model whose scales are
 * not known (`hasReceipt`) has no such file, and runs in Python there too.
 * Throws what `readPack` throws, and EmitError `too-large`.
 */
export function micropythonFiles(pack: Uint8Array, { ml: wantsMl = false } = {}): MicroPythonBundle {
  const model = readPack(pack);
  const hasTflite = hasReceipt(model);
  const ml = wantsMl && hasTflite;
  const id = packId(pack);
  // Written for C: its lines on use and memory are not true of Python.
  const comment = receiptLines(model, measureModel(model), id).filter((line) => !/^(?:Use|RAM):/.test(line));
  const tflite: readonly BundleFile[] = hasTflite
    ? [{ path: TFLITE_FILE, bytes: writeTflite(model.graph, { labels: model.labels }) }]
    : [];
  return {
    model: [
      { path: MODEL_FILE, bytes: utf8(emitModelPython(model, id, comment)) },
      { path: TEST_FILE, bytes: testFile(model, id) },
      ...(ml ? [...tflite, { path: LABELS_FILE, bytes: utf8(`${model.labels.map(oneLine).join('\n')}\n`) }] : []),
    ],
    main: { path: 'main.py', bytes: utf8(ml ? emitOpenMvMain(model) : emitMainPython(model)) },
    sensor: { path: SENSOR_FILE, bytes: utf8(emitSensorPython(model)) },
    extras: [...(ml ? [] : tflite), { path: 'model.h', bytes: utf8(emitHeader(pack)) }],
  };
}

function oneLine(label: string): string {
  return label.replace(/[\r\n]+/g, ' ');
}

/**
 * The files for boards that are not connected, in two folders: any MicroPython board, and OpenMV cameras. Without the
 * second when the model has no `model.tflite`.
 */
export function micropythonZipFiles(pack: Uint8Array): BundleFile[] {
  const hasTflite = hasReceipt(readPack(pack));
  const folders = {
    micropython: micropythonFiles(pack),
    ...(hasTflite ? { openmv: micropythonFiles(pack, { ml: true }) } : {}),
  };
  return [
    { path: 'README.md', bytes: utf8(readme(hasTflite)) },
    ...Object.entries(folders).flatMap(([folder, { model, main, sensor, extras }]) =>
      [...model, main, sensor, ...extras].map(({ path, bytes }) => ({ path: `${folder}/${path}`, bytes })),
    ),
  ];
}

const readme = (hasTflite: boolean): string => `# A model for MicroPython

- \`micropython/\`: copy the files to the top folder of a board with MicroPython (Pico, ESP32, micro:bit v2 ...).
  \`import model; print(model.selftest())\` prints 0 when the board gives the very bytes that the studio computed;
  \`model.networktest()\` checks the integer part alone. \`model.EXACT\` is False on ports whose floats have 30 bits
  (micro:bit): features are then close, not equal, and \`selftest()\` counts differences.
- Edit \`read_sensor.py\` for your sensor; it is yours. Keep a copy of a main.py that is on the board already.
${hasTflite ? WITH_TFLITE : '- `model.h` is the same model for programs in C; model.py does not need it.'}

Tested: model.py under CPython and MicroPython 1.27 (WebAssembly), and as machine code under 1.25 on emulated Cortex-M0,
Cortex-M3 and RISC-V. Not tried on real boards. Licence: yours.
`;

const WITH_TFLITE = `- \`model.h\` and \`model.tflite\` are the same model for programs in C and for TFLite; model.py does not need them.
- \`openmv/\`: the same for OpenMV cameras; their \`ml\` module runs the network from \`model.tflite\`, with the labels in
  \`model.txt\`. Written after the documentation of firmware 5.0; not tried on a camera.`;
