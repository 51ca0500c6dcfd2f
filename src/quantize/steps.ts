/**
 * Long work on many inputs as a generator that stops after every one of them: whoever runs it can let others have their
 * turn, show how far it is, or leave it. Pure code has no clock and no messages; this is how it stays interruptible.
 */

/**
 * What was just done with one input:
 * - `ranges`: its values were measured.
 * - `choice`: two candidates were compared on it.
 * - `correction`: it went through one layer more for the correction of biases.
 * - `comparison`: the integer network was compared with the float one on it.
 */
export type WorkStage = 'ranges' | 'choice' | 'correction' | 'comparison';

export type Steps<Result> = Generator<WorkStage, Result, void>;

/** Runs all steps at once. */
export function runSteps<Result>(steps: Steps<Result>): Result {
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}
