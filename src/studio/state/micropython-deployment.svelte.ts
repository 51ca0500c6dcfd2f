/** Writing the current model to a MicroPython board: files, read-back, self-test there, switch. One at a time. */
import type { MicroPythonAccess } from '../../board/board';
import { BACKUP_FILE, type FileProgress } from '../../board/micropython-files';
import { MicroPythonError, type FilesLeft } from '../../board/micropython-error';
import {
  modelOnBoard,
  recoverUpload,
  uploadFiles,
  type Recovered,
  type UploadedFile,
  type UploadFile,
} from '../../board/micropython-upload';
import { isGeneratedMain } from '../../emit/micropython/main-python';
import { micropythonFiles, type BundleFile } from '../../emit/micropython/micropython-bundle';
import type { Board } from './boards.svelte';
import type { StudioModel } from './models.svelte';

export type MicroPythonPhase = 'idle' | 'running' | 'asking' | 'cancelled' | 'failed' | 'done' | 'restored' | 'looked';
export type MicroPythonStep = FileProgress['step'] | 'connecting' | 'testing';

/** Windows of the self-test in one program: progress shows and cancelling works in between. */
const WINDOWS_AT_ONCE = 4;
/** A window of plain Python on a slow board. */
const WINDOW_TIMEOUT_MS = 60_000;

interface SelfTest {
  readonly passed: number;
  readonly total: number;
  readonly networkPassed: boolean;
  readonly exact: boolean;
  readonly fast: boolean;
}

export interface MicroPythonReport extends SelfTest {
  readonly port: string;
  readonly ms: number;
  readonly files: readonly UploadedFile[];
  readonly atOnce: boolean;
  readonly recovered: Recovered;
  /** Bytes that were free before; null where the board cannot tell. */
  readonly free: number | null;
  /** There is a main.bak.py on the board. */
  readonly restorable: boolean;
}

/** What is on a board that nobody writes to. */
export interface MicroPythonLook {
  /** Eight hexadecimal digits, or null when there is no model.py of ours. */
  readonly modelId: string | null;
  readonly recovered: Recovered;
  readonly files: number;
  readonly free: number | null;
}

export interface MicroPythonChoice {
  /** Write main.py when none is in the way, replace one that is not ours, or leave it out. */
  readonly main: 'ask' | 'replace' | 'none';
  /** Also the files for other programs. */
  readonly extras: boolean;
}

const asUpload = ({ path, bytes }: BundleFile): UploadFile => ({ name: path, content: bytes });

export class MicroPythonDeployment {
  phase = $state<MicroPythonPhase>('idle');
  step = $state<MicroPythonStep>('connecting');
  name = $state('');
  /** Bytes on the wire, or windows of the self-test. */
  done = $state(0);
  total = $state(0);
  /** Of the bytes on the wire, 0..1; null before the first. */
  share = $state<number | null>(null);
  /** Of the board that was asked last, also when the upload failed after it. */
  tested = $state.raw<SelfTest | null>(null);
  report = $state.raw<MicroPythonReport | null>(null);
  look = $state.raw<MicroPythonLook | null>(null);
  error = $state.raw<Error | null>(null);
  /** What is on the board after an upload that did not end well. */
  filesLeft = $state.raw<FilesLeft | null>(null);
  board = $state.raw<Board | null>(null);
  model = $state.raw<StudioModel | null>(null);
  #abort: AbortController | null = null;

  get running(): boolean {
    return this.phase === 'running';
  }

  async start(board: Board, model: StudioModel, choice: MicroPythonChoice): Promise<void> {
    await this.#run(
      board,
      model,
      (signal) =>
        board.session.useMicroPython(
          async (access) => {
            const { files } = access;
            const bundle = micropythonFiles(model.pack, { ml: files.port.ml });
            const began = performance.now();
            const main = choice.main !== 'none';
            const report = await uploadFiles(
              access,
              {
                required: bundle.model.map(asUpload),
                main: main
                  ? { content: bundle.main.bytes, replace: choice.main === 'replace', isOurs: isGeneratedMain }
                  : null,
                absent: main ? [asUpload(bundle.sensor)] : [],
                extras: choice.extras ? bundle.extras.map(asUpload) : [],
              },
              {
                signal,
                onProgress: (progress) => this.#show(progress),
                prove: async () => {
                  const tested = await this.#test(access, signal);
                  return tested.networkPassed && (tested.passed === tested.total || !tested.exact);
                },
              },
            );
            const names = (await files.list()).map((file) => file.name);
            const { tested } = this;
            if (!tested) throw new MicroPythonError('protocol', 'The self-test on the board did not run.');
            this.report = {
              ...tested,
              ...report,
              port: files.port.description,
              ms: performance.now() - began,
              restorable: names.includes(BACKUP_FILE),
            };
            return 'done' as const;
          },
          { signal },
        ),
      'former',
    );
  }

  /** Puts back the main.py that was kept. */
  async restore(board: Board): Promise<void> {
    await this.#run(board, this.model, (signal) =>
      board.session.useMicroPython(
        async (access) => {
          await recoverUpload(access, signal);
          await access.files.restoreMain({ signal, onProgress: (progress) => this.#show(progress) });
          return 'restored' as const;
        },
        { signal },
      ),
    );
  }

  /** Which model is on the board; finishes or discards what an interrupted upload left. */
  async inspect(board: Board, model: StudioModel): Promise<void> {
    await this.#run(board, model, (signal) =>
      board.session.useMicroPython(
        async (access) => {
          const recovered = await recoverUpload(access, signal);
          const files = await access.files.list(signal);
          const space = await access.files.freeSpace(signal);
          this.look = {
            modelId: await modelOnBoard(access, signal),
            recovered,
            files: files.length,
            free: space?.free ?? null,
          };
          return 'looked' as const;
        },
        { signal },
      ),
    );
  }

  cancel(): void {
    this.#abort?.abort();
  }

  async #test({ run }: MicroPythonAccess, signal: AbortSignal): Promise<SelfTest> {
    const options = { signal, timeoutMs: WINDOW_TIMEOUT_MS };
    this.#show({ step: 'testing', name: '', done: 0, total: 0 });
    const told = await run(
      'import model\n' +
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
    const tested = {
      passed: total - failed,
      total,
      networkPassed: network === 1,
      exact: exact === 1,
      fast: fast === 1,
    };
    this.tested = tested;
    return tested;
  }

  #show(progress: { step: MicroPythonStep; name: string; done: number; total: number }): void {
    this.step = progress.step;
    this.name = progress.name;
    this.done = progress.done;
    this.total = progress.total;
    if (progress.step === 'writing' || progress.step === 'verifying') this.share = progress.done / progress.total;
    else if (progress.step === 'connecting') this.share = null;
  }

  async #run(
    board: Board,
    model: StudioModel | null,
    work: (signal: AbortSignal) => Promise<'done' | 'restored' | 'looked'>,
    /** What is on the board when the work failed before it said so. */
    untouched: FilesLeft | null = null,
  ): Promise<void> {
    if (this.running) return;
    const abort = new AbortController();
    this.#abort = abort;
    this.phase = 'running';
    this.#show({ step: 'connecting', name: '', done: 0, total: 0 });
    this.error = null;
    this.filesLeft = null;
    this.report = null;
    this.tested = null;
    this.look = null;
    this.board = board;
    this.model = model;
    try {
      this.phase = await work(abort.signal);
    } catch (error) {
      this.error = error instanceof Error ? error : new Error(String(error));
      this.filesLeft = (error instanceof MicroPythonError ? error.filesLeft : null) ?? untouched;
      const asks = error instanceof MicroPythonError && error.code === 'main-exists';
      const cancelled = error instanceof MicroPythonError && error.code === 'cancelled';
      this.phase = cancelled ? 'cancelled' : asks ? 'asking' : 'failed';
    } finally {
      this.#abort = null;
    }
  }
}
