/** The hardware test of one board: what runs, what came out. Survives changing stations, as the board does. */
import type { CHECKS } from '../../board/hardware-checks';
import { runHardwareTest, type CheckId, type CheckResult } from '../../board/hardware-checks';
import { probePack } from '../../board/probe-model';
import { systemTiming } from '../../board/timing';
import type { Board } from './boards.svelte';

export type HardwareTestPhase = 'idle' | 'running' | 'done' | 'cancelled';

/** Seeds of the probe model are small numbers; another one every time, so that the model written is never the old. */
const SEEDS = 10_000;

export class HardwareTest {
  phase = $state<HardwareTestPhase>('idle');
  board = $state.raw<Board | null>(null);
  current = $state<CheckId | null>(null);
  results = $state.raw<readonly CheckResult[]>([]);
  #abort: AbortController | null = null;

  get running(): boolean {
    return this.phase === 'running';
  }

  count(verdict: CheckResult['verdict']): number {
    return this.results.filter((result) => result.verdict === verdict).length;
  }

  resultOf(id: (typeof CHECKS)[number]): CheckResult | null {
    return this.results.find((result) => result.id === id) ?? null;
  }

  async start(board: Board): Promise<void> {
    if (this.running) return;
    const abort = new AbortController();
    this.#abort = abort;
    this.phase = 'running';
    this.board = board;
    this.results = [];
    this.current = null;
    try {
      await runHardwareTest(board.session, {
        timing: systemTiming,
        makePack: (identity) => probePack(identity, Math.floor(Math.random() * SEEDS)),
        signal: abort.signal,
        onBegin: (id) => (this.current = id),
        onResult: (result) => (this.results = [...this.results, result]),
      });
      this.phase = 'done';
    } catch {
      // Only cancelling rejects.
      this.phase = 'cancelled';
    } finally {
      this.current = null;
      this.#abort = null;
    }
  }

  cancel(): void {
    this.#abort?.abort();
  }
}
