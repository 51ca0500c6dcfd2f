/** A failure as the diagnostic text tells it: a code and a time, nothing that names anybody. */
import { BoardError } from '../../board/board';
import { LinkError } from '../../board/link';

/** So many are remembered per board. */
export const FAILURES_KEPT = 10;

export interface Failure {
  /** "silent", "busy/busy-tab"; the class of errors that are not ours. */
  readonly code: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

export function failureOf(error: unknown, at: number): Failure {
  if (error instanceof BoardError) {
    const cause = error.cause instanceof LinkError ? `/${error.cause.code}` : '';
    return { code: `${error.code}${cause}`, at };
  }
  if (error instanceof LinkError) return { code: error.code, at };
  return { code: error instanceof Error ? error.name : 'unknown', at };
}
