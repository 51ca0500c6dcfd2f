/** What the command line knows of each verb. */
import type { Arguments, Flag } from './arguments';

export interface Verb {
  readonly summary: string;
  /** Inputs and flags, as in a manual. */
  readonly synopsis: string;
  readonly flags: Readonly<Record<string, Flag>>;
  /** Does the work; throws on bad input. `signal` is aborted by Ctrl+C. */
  execute(args: Arguments, signal: AbortSignal): Promise<void>;
}
