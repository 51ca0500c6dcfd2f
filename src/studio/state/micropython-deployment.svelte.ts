/** Writing the current model to a MicroPython board: files, read-back, self-test there. One at a time. */
import { BACKUP_FILE, MAIN_FILE, type FileProgress } from '../../board/micropython-files';
import { MicroPythonError } from '../../board/micropython-error';
import { MAIN_MARK } from '../../emit/micropython/main-python';
import { micropythonFiles } from '../../emit/micropython/micropython-bundle';
import type { Board } from './boards.svelte';
import type { StudioModel } from './models.svelte';

export type MicroPythonPhase = 'idle' | 'running' | 'asking' | 'cancelled' | 'failed' | 'done' | 'restored';
export type MicroPythonStep = FileProgress['step'] | 'connecting' | 'testing';

/** Windows of the self-test in one program: progress shows and cancelling works in between. */
const WINDOWS_AT_ONCE = 4;
/** A window of plain Python on a slow board. */
const WINDOW_TIMEOUT_MS = 60_000;

export interface MicroPythonReport {
  readonly port: string;
  readonly bytes: number;
  readonly ms: number;
  readonly passed: number;
  readonly total: number;
  readonly networkPassed: boolean;
  readonly exact: boolean;
  readonly fast: boolean;
  readonly backedUp: boolean;
  /** There is a main.bak.py on the board. */
  readonly restorable: boolean;
}

export class MicroPythonDeployment {
  phase = $state<MicroPythonPhase>('idle');
  step = $state<MicroPythonStep>('connecting');
  name = $state('');
  done = $state(0);
  total = $state(0);
  report = $state.raw<MicroPythonReport | null>(null);
  error = $state.raw<Error | null>(null);
  board = $state.raw<Board | null>(null);
  model = $state.raw<StudioModel | null>(null);
  #abort: AbortController | null = null;

  get running(): boolean {
    return this.phase === 'running';
  }

  /** `main`: write main.py when none is in the way, replace one that is not ours, or leave it out. */
  async start(board: Board, model: StudioModel, main: 'ask' | 'replace' | 'none'): Promise<void> {
    await this.#run(board, model, async (signal) => {
      const bundle = micropythonFiles(model.pack);
      return board.session.useMicroPython(
        async (access) => {
          const { files } = access;
          const onProgress = (progress: FileProgress): void => this.#show(progress);
          const options = { signal, onProgress };
          const began = performance.now();
          const names = (await files.list(signal)).map((file) => file.name);
          if (main === 'ask' && names.includes(MAIN_FILE)) {
            const old = new TextDecoder().decode(await files.read(MAIN_FILE, { signal }));
            if (!old.startsWith(MAIN_MARK)) throw new MicroPythonError('main-exists', 'There is a main.py.');
          }
          let bytes = 0;
          for (const { path, bytes: content } of bundle.model) {
            await files.write(path, content, options);
            bytes += content.length;
          }
          const tested = await this.#test((source, how) => access.run(source, how), signal);
          // Only a model that can be loaded gets the program that loads it at every start.
          let backedUp = false;
          if (main !== 'none') {
            const ours =
              names.includes(MAIN_FILE) &&
              new TextDecoder().decode(await files.read(MAIN_FILE, { signal })).startsWith(MAIN_MARK);
            if (ours) await files.write(MAIN_FILE, bundle.main.bytes, options);
            else ({ backedUp } = await files.writeMain(bundle.main.bytes, main === 'replace', options));
            bytes += bundle.main.bytes.length;
          }
          this.report = {
            ...tested,
            port: files.port.description,
            bytes,
            ms: performance.now() - began,
            backedUp,
            restorable: backedUp || names.includes(BACKUP_FILE),
          };
          return 'done' as const;
        },
        { signal },
      );
    });
  }

  /** Puts back the main.py that was kept. */
  async restore(board: Board): Promise<void> {
    await this.#run(board, this.model, (signal) =>
      board.session.useMicroPython(
        async ({ files }) => {
          await files.restoreMain({ signal, onProgress: (progress) => this.#show(progress) });
          return 'restored' as const;
        },
        { signal },
      ),
    );
  }

  cancel(): void {
    this.#abort?.abort();
  }

  async #test(
    run: (source: string, options?: { signal?: AbortSignal; timeoutMs?: number }) => Promise<string>,
    signal: AbortSignal,
  ): Promise<Pick<MicroPythonReport, 'passed' | 'total' | 'networkPassed' | 'exact' | 'fast'>> {
    const options = { signal, timeoutMs: WINDOW_TIMEOUT_MS };
    this.#show({ step: 'testing', name: '', done: 0, total: 0 });
    // An older model may still be loaded.
    const told = await run(
      "import sys\nsys.modules.pop('model', None)\nimport model\n" +
        'print(model.SELFTEST_COUNT, 1 if model.EXACT else 0, 1 if model.FAST else 0, 1 if model.networktest() else 0)',
      options,
    );
    const [total = 0, exact = 0, fast = 0, network = 0] = told.trim().split(' ').map(Number);
    let failed = 0;
    for (let first = 0; first < total; first += WINDOWS_AT_ONCE) {
      const last = Math.min(total, first + WINDOWS_AT_ONCE);
      failed += Number((await run(`print(model.selftest(${first}, ${last}))`, options)).trim());
      this.#show({ step: 'testing', name: '', done: last, total });
    }
    if (Number.isNaN(failed)) throw new MicroPythonError('protocol', 'The self-test on the board said no number.');
    return { passed: total - failed, total, networkPassed: network === 1, exact: exact === 1, fast: fast === 1 };
  }

  #show(progress: { step: MicroPythonStep; name: string; done: number; total: number }): void {
    this.step = progress.step;
    this.name = progress.name;
    this.done = progress.done;
    this.total = progress.total;
  }

  async #run(
    board: Board,
    model: StudioModel | null,
    work: (signal: AbortSignal) => Promise<'done' | 'restored'>,
  ): Promise<void> {
    if (this.running) return;
    const abort = new AbortController();
    this.#abort = abort;
    this.phase = 'running';
    this.#show({ step: 'connecting', name: '', done: 0, total: 0 });
    this.error = null;
    this.report = null;
    this.board = board;
    this.model = model;
    try {
      this.phase = await work(abort.signal);
    } catch (error) {
      this.error = error instanceof Error ? error : new Error(String(error));
      const asks = error instanceof MicroPythonError && error.code === 'main-exists';
      this.phase = abort.signal.aborted ? 'cancelled' : asks ? 'asking' : 'failed';
    } finally {
      this.#abort = null;
    }
  }
}
