/** Work on the models that a board already holds: self-test again, switch back. One at a time. */
import type { SelfTestReport } from '../../board/board';
import type { Board } from './boards.svelte';

export type SlotTask = 'self-test' | 'restore';

export class SlotWork {
  /** What is being done, or null. */
  task = $state<SlotTask | null>(null);
  /** What `slot`, `report` and `error` are about. */
  board = $state.raw<Board | null>(null);
  last = $state<SlotTask | null>(null);
  slot = $state(0);
  report = $state.raw<SelfTestReport | null>(null);
  error = $state.raw<Error | null>(null);

  get running(): boolean {
    return this.task !== null;
  }

  async selfTest(board: Board, slot: number): Promise<void> {
    await this.#run('self-test', board, slot, async () => {
      const report = await board.session.selfTest({ slot });
      this.report = report;
      const model = board.identity?.slots.find(({ index }) => index === slot)?.model;
      if (model && report.total > 0 && report.passed === report.total) board.markVerified(model.id, report.averageUs);
    });
  }

  /** Makes another slot the running one; resolves with true when the board switched. */
  async restore(board: Board, slot: number): Promise<boolean> {
    return this.#run('restore', board, slot, () => board.session.activateSlot(slot));
  }

  async #run(task: SlotTask, board: Board, slot: number, work: () => Promise<void>): Promise<boolean> {
    if (this.running) return false;
    this.task = task;
    this.last = task;
    this.board = board;
    this.slot = slot;
    this.report = null;
    this.error = null;
    try {
      await work();
      return true;
    } catch (error) {
      this.error = error instanceof Error ? error : new Error(String(error));
      return false;
    } finally {
      this.task = null;
    }
  }
}
