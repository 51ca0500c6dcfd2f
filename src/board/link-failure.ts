/** What a failing link means for whoever talks to the board. */
import { BoardError } from './board';
import type { BoardErrorCode } from './board';
import { LinkError } from './link';
import type { LinkErrorCode } from './link';

/** Any error as a BoardError; those that are one already stay as they are. */
export function toBoardError(error: Error): BoardError {
  if (error instanceof BoardError) return error;
  if (error instanceof LinkError) return new BoardError(codeOf(error.code), error.message, { cause: error });
  return new BoardError('link-failed', `The connection to the board failed: ${error.message}`, { cause: error });
}

function codeOf(code: LinkErrorCode): BoardErrorCode {
  switch (code) {
    case 'disconnected':
    case 'closed':
    case 'no-port':
      return 'disconnected';
    case 'taken-over':
      return 'taken-over';
    case 'busy-tab':
    case 'busy':
      return 'busy';
    case 'chooser-cancelled':
      return 'cancelled';
    case 'not-supported':
      return 'not-supported';
    case 'permission-blocked':
    case 'open-failed':
    case 'write-timeout':
    case 'framing':
      return 'link-failed';
  }
}
