/** What each failure of a board is called, and which ways out the station offers. The error itself says the details. */
import { BoardError, type BoardErrorCode } from '../../../board/board';
import { LinkError, type LinkErrorCode } from '../../../board/link';
import { t } from '../../messages/messages.svelte';

/**
 * `retry` connects again, `choose` opens the port chooser, `find-baud` tries the usual rates, `take-over` takes the board
 * from another tab, `why` explains what the browser sees, `virtual` needs no cable; `deploy` and `features` lead there.
 */
export type WayOut = 'retry' | 'choose' | 'find-baud' | 'take-over' | 'why' | 'virtual' | 'deploy' | 'features';

export interface Recovery {
  readonly title: string;
  /** What happened, why, what to do. */
  readonly message: string;
  readonly waysOut: readonly WayOut[];
}

function boardTitle(code: BoardErrorCode): string {
  switch (code) {
    case 'timeout-hello':
      return t('board.errTimeoutHello');
    case 'timeout-command':
      return t('board.errTimeoutCommand');
    case 'timeout-stream':
      return t('board.errTimeoutStream');
    case 'silent':
      return t('board.errSilent');
    case 'garbage':
      return t('board.errGarbage');
    case 'wrong-baud':
      return t('recovery.errWrongBaud');
    case 'bootloader-silent':
      return t('recovery.errBootloaderSilent');
    case 'wrong-board':
      return t('recovery.errWrongBoard');
    case 'board-reset':
      return t('recovery.errBoardReset');
    case 'taken-over':
      return t('recovery.errTakenOver');
    case 'disconnected':
      return t('board.errDisconnected');
    case 'link-failed':
      return t('board.errLinkFailed');
    case 'refused':
      return t('board.errRefused');
    case 'not-supported':
      return t('board.errNotSupported');
    case 'firmware-too-old':
      return t('board.errFirmwareTooOld');
    case 'model-too-big':
      return t('board.errModelTooBig');
    case 'model-rejected':
      return t('board.errModelRejected');
    case 'verify-mismatch':
      return t('board.errVerifyMismatch');
    case 'self-test-failed':
      return t('board.errSelfTestFailed');
    case 'slot-corrupt':
      return t('board.errSlotCorrupt');
    case 'no-model':
      return t('board.errNoModel');
    case 'busy':
      return t('board.errBusy');
    case 'cancelled':
      return t('board.errCancelled');
  }
}

function boardWaysOut(code: BoardErrorCode): readonly WayOut[] {
  switch (code) {
    case 'silent':
    case 'garbage':
    case 'wrong-baud':
    case 'timeout-hello':
      return ['find-baud', 'retry'];
    case 'bootloader-silent':
      return ['deploy', 'retry', 'why'];
    case 'wrong-board':
      return ['choose', 'deploy'];
    case 'board-reset':
      return ['retry', 'why'];
    case 'taken-over':
      return ['take-over'];
    case 'timeout-command':
    case 'timeout-stream':
    case 'link-failed':
      return ['retry', 'choose', 'why'];
    case 'disconnected':
      return ['choose', 'why'];
    case 'refused':
    case 'busy':
    case 'cancelled':
      return ['retry'];
    case 'not-supported':
    case 'firmware-too-old':
      return ['retry', 'virtual'];
    case 'model-too-big':
      return ['features', 'deploy'];
    case 'model-rejected':
    case 'verify-mismatch':
    case 'self-test-failed':
    case 'slot-corrupt':
    case 'no-model':
      return ['deploy'];
  }
}

function linkTitle(code: LinkErrorCode): string {
  switch (code) {
    case 'chooser-cancelled':
      return t('board.errChooserCancelled');
    case 'not-supported':
      return t('board.errLinkNotSupported');
    case 'permission-blocked':
      return t('board.errPermissionBlocked');
    case 'no-port':
      return t('recovery.errNoPort');
    case 'busy-tab':
      return t('recovery.errBusyTab');
    case 'taken-over':
      return t('recovery.errTakenOver');
    case 'busy':
      return t('board.errPortBusy');
    case 'open-failed':
      return t('board.errOpenFailed');
    case 'disconnected':
      return t('board.errDisconnected');
    case 'write-timeout':
      return t('board.errWriteTimeout');
    case 'framing':
      return t('board.errFraming');
    case 'closed':
      return t('board.errClosed');
  }
}

function linkWaysOut(code: LinkErrorCode): readonly WayOut[] {
  switch (code) {
    case 'chooser-cancelled':
    case 'no-port':
    case 'disconnected':
      return ['choose', 'why'];
    case 'busy-tab':
    case 'taken-over':
      return ['take-over'];
    case 'not-supported':
    case 'permission-blocked':
      return ['why', 'virtual'];
    case 'busy':
    case 'open-failed':
    case 'write-timeout':
    case 'closed':
      return ['retry', 'choose', 'why'];
    case 'framing':
      return ['find-baud', 'retry'];
  }
}

export function recoveryOf(error: unknown): Recovery {
  if (error instanceof BoardError) {
    // The link knows best why it failed.
    if (error.cause instanceof LinkError)
      return { title: linkTitle(error.cause.code), message: error.message, waysOut: linkWaysOut(error.cause.code) };
    return { title: boardTitle(error.code), message: error.message, waysOut: boardWaysOut(error.code) };
  }
  if (error instanceof LinkError)
    return { title: linkTitle(error.code), message: error.message, waysOut: linkWaysOut(error.code) };
  return {
    title: t('board.errUnknown'),
    message: error instanceof Error ? error.message : String(error),
    waysOut: ['retry', 'choose'],
  };
}
