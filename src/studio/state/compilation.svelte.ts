/** One `.tflite` file at a time, compiled in the worker: what came out, or why nothing did. */
import type { CompileOutputs } from '../../worker/compile-job';
import type { Target } from '../../emit/target';
import type { StudioServices } from '../services';

/** Larger files are no microcontroller models. */
export const MAX_TFLITE_BYTES = 16 * 1024 * 1024;

export class Compilation {
  phase = $state<'idle' | 'running' | 'failed' | 'done'>('idle');
  fileName = $state('');
  target = $state<Target>('generic');
  result = $state.raw<CompileOutputs | null>(null);
  error = $state.raw<Error | null>(null);
  #bytes: Uint8Array | null = null;
  #abort: AbortController | null = null;

  constructor(private readonly services: StudioServices) {}

  get running(): boolean {
    return this.phase === 'running';
  }

  /** Compiles a file; the last one is forgotten. */
  async open(file: File): Promise<void> {
    this.fileName = file.name;
    this.result = null;
    this.#bytes = null;
    if (file.size > MAX_TFLITE_BYTES) {
      this.error = new RangeError('too large');
      this.phase = 'failed';
      return;
    }
    this.phase = 'running';
    try {
      this.#bytes = new Uint8Array(await file.arrayBuffer());
    } catch (error) {
      this.error = error instanceof Error ? error : new Error(String(error));
      this.phase = 'failed';
      return;
    }
    await this.#compile();
  }

  /** Compiles the file that is open for another core. */
  async retarget(target: Target): Promise<void> {
    this.target = target;
    if (this.#bytes) await this.#compile();
  }

  cancel(): void {
    this.#abort?.abort();
  }

  async #compile(): Promise<void> {
    if (!this.#bytes) return;
    this.#abort?.abort();
    const abort = new AbortController();
    this.#abort = abort;
    this.phase = 'running';
    this.error = null;
    try {
      const result = await this.services.trainer.compile(
        { bytes: this.#bytes, fileName: this.fileName, target: this.target },
        { signal: abort.signal },
      );
      if (this.#abort !== abort) return;
      this.result = result;
      this.phase = 'done';
    } catch (error) {
      if (this.#abort !== abort) return;
      if (abort.signal.aborted) {
        this.phase = this.result ? 'done' : 'idle';
        return;
      }
      this.error = error instanceof Error ? error : new Error(String(error));
      this.phase = 'failed';
    }
  }
}
