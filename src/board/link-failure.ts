/** What a failing link means for whoever talks to the board. */
import { BoardError } from './board';
import type { BoardErrorCode } from './board';
import { LinkError } from './link';
import type { LinkErrorCode } from './link';
import { FlashError } from './stk500v1';
import type { FlashErrorCode } from './stk500v1';

/** Any error as a BoardError; those that are one already stay as they are. */
export function toBoardError(error: Error): BoardError {
  if (error instanceof BoardError) return error;
  if (error instanceof FlashError) {
    // A port that failed under the boot loader knows best why.
    const cause = error.cause instanceof LinkError ? error.cause : error;
    return new BoardError(ofFlashing(error.code), error.message, { cause });
  }
  if (error instanceof LinkError) return new BoardError(codeOf(error.code), error.message, { cause: error });
  return new BoardError('link-failed', `The connection to the board failed: ${error.message}`, { cause: error });
}

function ofFlashing(code: FlashErrorCode): BoardErrorCode {
  switch (code) {
    case 'bootloader-silent':
      return 'bootloader-silent';
    case 'wrong-chip':
      return 'wrong-board';
    case 'lost-sync':
      return 'timeout-command';
    case 'verify-failed':
      return 'verify-mismatch';
    case 'too-large':
      return 'model-too-big';
    case 'link-failed':
      return 'link-failed';
    case 'cancelled':
      return 'cancelled';
  }
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
