/** A real TensorFlow Lite runtime: LiteRT's WebAssembly build with XNNPACK, from the package `@tensorflow/tfjs-tflite`. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import vm from 'node:vm';

export const RUNTIME_FOLDER = path.resolve(import.meta.dirname, '../../node_modules/@tensorflow/tfjs-tflite/wasm');
const NAME = 'tflite_web_api_cc_simd';

type Values = Int8Array | Int16Array | Float32Array;

interface WasmTensor {
  data(): Values;
}
interface WasmList {
  size(): number;
  get(index: number): WasmTensor;
}
interface WasmModel {
  GetInputs(): WasmList;
  GetOutputs(): WasmList;
  Infer(): boolean;
  delete(): void;
}
interface Wasm {
  _malloc(bytes: number): number;
  readonly HEAPU8: Uint8Array;
  readonly TFLiteWebModelRunner: {
    CreateFromBufferAndOptions(
      at: number,
      bytes: number,
      options: object,
    ): { ok(): boolean; errorMessage(): string; value(): WasmModel };
  };
}

export interface RuntimeModel {
  /** The output: a view that the next run overwrites. Throws when the runtime does not run the model. */
  run(input: Values): Values;
  delete(): void;
}

export interface Runtime {
  /** Throws with the runtime's words when it does not take the file. */
  open(bytes: Uint8Array): RuntimeModel;
}

/** The package's loader expects a page; its factory runs anywhere. */
export async function loadRuntime(): Promise<Runtime> {
  const file = path.join(RUNTIME_FOLDER, `${NAME}.js`);
  const source = `(function (require, __filename, __dirname) {${readFileSync(file, 'utf8')}\n;return tflite_web_api_ModuleFactory;})`;
  const wrap = vm.runInThisContext(source, { filename: file }) as (
    ...args: unknown[]
  ) => (options: object) => Promise<Wasm>;
  const quiet = (): void => undefined;
  const wasm = await wrap(
    createRequire(file),
    file,
    RUNTIME_FOLDER,
  )({
    wasmBinary: readFileSync(path.join(RUNTIME_FOLDER, `${NAME}.wasm`)),
    print: quiet,
    printErr: quiet,
  });
  return {
    open(bytes) {
      const at = wasm._malloc(bytes.length);
      wasm.HEAPU8.set(bytes, at);
      const result = wasm.TFLiteWebModelRunner.CreateFromBufferAndOptions(at, bytes.length, {
        numThreads: -1,
        enableProfiling: false,
        maxProfilingBufferEntries: 1024,
      });
      if (!result.ok()) throw new Error(result.errorMessage());
      const model = result.value();
      return {
        run(input) {
          model.GetInputs().get(0).data().set(input);
          if (!model.Infer()) throw new Error('The runtime did not run the model.');
          return model.GetOutputs().get(0).data();
        },
        delete: () => model.delete(),
      };
    },
  };
}
