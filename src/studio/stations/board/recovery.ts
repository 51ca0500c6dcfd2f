/** What each failure of a board is called, and which ways out the station offers. The error itself says the details. */
import { BoardError, type BoardErrorCode } from '../../../board/board';
import { LinkError, type LinkErrorCode } from '../../../board/link';
import { t } from '../../messages/messages.svelte';

/** `retry` connects again, `choose` opens the port chooser, `baud` shows the baud rate, `virtual` needs no cable. */
export type WayOut = 'retry' | 'choose' | 'baud' | 'virtual';

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
    case 'timeout-hello':
      return ['baud', 'retry'];
    case 'timeout-command':
    case 'timeout-stream':
    case 'link-failed':
      return ['retry', 'choose'];
    case 'disconnected':
      return ['choose'];
    case 'refused':
    case 'busy':
    case 'cancelled':
      return ['retry'];
    case 'not-supported':
    case 'firmware-too-old':
      return ['virtual'];
    case 'model-too-big':
    case 'model-rejected':
    case 'verify-mismatch':
    case 'self-test-failed':
    case 'slot-corrupt':
    case 'no-model':
      return []; // these belong to Deploy, which offers its own ways out
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
    case 'disconnected':
      return ['choose'];
    case 'not-supported':
    case 'permission-blocked':
      return ['virtual'];
    case 'busy':
    case 'open-failed':
    case 'write-timeout':
    case 'closed':
      return ['retry', 'choose'];
    case 'framing':
      return ['baud', 'retry'];
  }
}

export function recoveryOf(error: unknown): Recovery {
  if (error instanceof BoardError) {
    // The link knows best why it failed.
    if (error.code === 'link-failed' && error.cause instanceof LinkError)
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
