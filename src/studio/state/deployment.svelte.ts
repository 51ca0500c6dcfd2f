/** Writing the current model to a board: one at a time, survives changing stations. */
import type { BoardModel, DeployReport, DeployStep } from '../../board/board';
import type { Board } from './boards.svelte';
import type { StudioModel } from './models.svelte';

export type DeploymentPhase = 'idle' | 'running' | 'cancelled' | 'failed' | 'done';

export class Deployment {
  phase = $state<DeploymentPhase>('idle');
  step = $state<DeployStep>('checking');
  /** Bytes or windows of the current step. */
  done = $state(0);
  total = $state(0);
  report = $state.raw<DeployReport | null>(null);
  error = $state.raw<Error | null>(null);
  /** Which board and model it is (or was) about. */
  board = $state.raw<Board | null>(null);
  model = $state.raw<StudioModel | null>(null);
  /** The model that the board ran before; it stays until the new one has proved itself. */
  before = $state.raw<BoardModel | null>(null);
  #abort: AbortController | null = null;

  get running(): boolean {
    return this.phase === 'running';
  }

  async start(board: Board, model: StudioModel): Promise<void> {
    if (this.running) return;
    const abort = new AbortController();
    this.#abort = abort;
    this.phase = 'running';
    this.step = 'checking';
    this.done = 0;
    this.total = 0;
    this.report = null;
    this.error = null;
    this.board = board;
    this.model = model;
    this.before = board.activeModel;
    try {
      const report = await board.session.deploy(model.pack, {
        signal: abort.signal,
        onProgress: (progress) => {
          this.step = progress.step;
          this.done = progress.done;
          this.total = progress.total;
        },
      });
      this.report = report;
      if (report.selfTest.total > 0 && report.selfTest.passed === report.selfTest.total)
        board.markVerified(report.modelId, report.selfTest.averageUs);
      this.phase = 'done';
    } catch (error) {
      this.error = error as Error;
      this.phase = abort.signal.aborted ? 'cancelled' : 'failed';
    } finally {
      this.#abort = null;
    }
  }

  /** Forgets the last outcome. */
  dismiss(): void {
    if (!this.running) this.phase = 'idle';
  }

  cancel(): void {
    this.#abort?.abort();
  }
}
