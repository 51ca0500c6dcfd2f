/**
 * Starts tfjs' compute backend: WebAssembly with SIMD where it can be had, else plain JavaScript.
 */
import '@tensorflow/tfjs-backend-cpu';
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import { LearnError } from './pipeline';

export interface TrainingBackend {
  readonly name: 'wasm' | 'cpu';
  /** Why the faster backend is not in use, for the user; null when it is. */
  readonly note: string | null;
}

let started: Promise<TrainingBackend> | null = null;

/**
 * Starts the backend once; later calls give the same answer. `wasmPath` is the folder (or URL prefix, ending in "/")
 * that holds tfjs' `.wasm` files; it must be on the app's own origin. Throws LearnError `backend`.
 */
export function startBackend(wasmPath: string): Promise<TrainingBackend> {
  started ??= start(wasmPath).catch((error: unknown) => {
    started = null;
    throw error;
  });
  return started;
}

async function start(wasmPath: string): Promise<TrainingBackend> {
  // The threaded build clones its own source text into a Blob worker: a bundler renames what that text refers to, and
  // the start would hang for ever.
  tf.env().set('WASM_HAS_MULTITHREAD_SUPPORT', false);
  let reason: unknown = null;
  try {
    setWasmPaths(wasmPath);
    if (await tf.setBackend('wasm')) return { name: 'wasm', note: null };
  } catch (error) {
    reason = error;
  }
  if (await tf.setBackend('cpu')) {
    return {
      name: 'cpu',
      note: 'WebAssembly could not be started, so training runs in plain JavaScript and is slower.',
    };
  }
  throw new LearnError('backend', 'Training could not start: neither WebAssembly nor the fallback is available.', {
    cause: reason,
  });
}
