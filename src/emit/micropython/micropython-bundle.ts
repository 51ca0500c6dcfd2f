/** Everything that a MicroPython board gets for a model: a pure function of the pack. */
import { packId, readPack } from '../pack';
import { receiptLines } from '../receipt-text';
import { measureModel } from '../size';
import { writeTflite } from '../tflite/write-tflite';
import { emitMainPython, emitOpenMvMain } from './main-python';
import { emitModelPython, TEST_FILE, testFile } from './model-python';

export const MODEL_FILE = 'model.py';

/** Path with forward slashes, and what lies there. */
export interface BundleFile {
  readonly path: string;
  readonly bytes: Uint8Array;
}

export interface MicroPythonBundle {
  /** `model.py` and its known answers: what must be on the board. */
  readonly model: readonly BundleFile[];
  readonly main: BundleFile;
}

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Throws what `readPack` throws, and EmitError `too-large`. */
export function micropythonFiles(pack: Uint8Array): MicroPythonBundle {
  const model = readPack(pack);
  const id = packId(pack);
  // Written for C: its lines on use and memory are not true of Python.
  const comment = receiptLines(model, measureModel(model), id).filter((line) => !/^(?:Use|RAM):/.test(line));
  return {
    model: [
      { path: MODEL_FILE, bytes: utf8(emitModelPython(model, id, comment)) },
      { path: TEST_FILE, bytes: testFile(model, id) },
    ],
    main: { path: 'main.py', bytes: utf8(emitMainPython(model)) },
  };
}

/** The files for boards that are not connected, in two folders: any MicroPython board, and OpenMV cameras. */
export function micropythonZipFiles(pack: Uint8Array): BundleFile[] {
  const model = readPack(pack);
  const { model: files, main } = micropythonFiles(pack);
  const into = (folder: string, list: readonly BundleFile[]): BundleFile[] =>
    list.map(({ path, bytes }) => ({ path: `${folder}/${path}`, bytes }));
  return [
    { path: 'README.md', bytes: utf8(README) },
    ...into('micropython', [...files, main]),
    ...into('openmv', [
      ...files,
      { path: 'main.py', bytes: utf8(emitOpenMvMain(model)) },
      { path: 'model.tflite', bytes: writeTflite(model.graph, { labels: model.labels }) },
      { path: 'labels.txt', bytes: utf8(`${model.labels.join('\n')}\n`) },
    ]),
  ];
}

const README = `# A model for MicroPython

- \`micropython/\`: copy the files to the top folder of a board with MicroPython (Pico, ESP32, micro:bit v2 ...).
  \`import model; print(model.selftest())\` prints 0 when the board gives the very bytes that the studio computed;
  \`model.networktest()\` checks the integer part alone. \`model.EXACT\` is False on ports whose floats have 30 bits
  (micro:bit): features are then close, not equal, and \`selftest()\` counts differences.
- Edit \`read_sensor\` in \`main.py\`. Keep a copy of a main.py that is on the board already.
- \`openmv/\`: \`model.tflite\`, \`labels.txt\` and a \`main.py\` for the \`ml\` module of OpenMV's firmware.
  Not tried on a camera.

Tested: model.py under CPython and MicroPython 1.27 (WebAssembly). Not tried on real boards. Licence: yours.
`;
