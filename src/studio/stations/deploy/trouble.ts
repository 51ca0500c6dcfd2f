/** What went wrong between studio and board: what happened, why, what to do, and which ways out to offer. */
import { BoardError, type BoardErrorCode, type BoardModel, type DeployStep } from '../../../board/board';
import { t } from '../../messages/messages.svelte';
import { recoveryOf } from '../board/recovery';

/** `retry` does it again; the others lead to a station. */
export type Way = 'retry' | 'board' | 'features' | 'model';

export interface Trouble {
  readonly happened: string;
  readonly why: string;
  readonly todo: string;
  /** The error's own words: figures and names. */
  readonly said: string;
  readonly ways: readonly Way[];
}

interface Advice {
  readonly why: string;
  readonly todo: string;
  readonly ways: readonly Way[];
}

function adviceOf(code: BoardErrorCode): Advice {
  switch (code) {
    case 'timeout-hello':
      return { why: t('deploy.whyTimeoutHello'), todo: t('deploy.doTimeoutHello'), ways: ['retry', 'board'] };
    case 'timeout-command':
      return { why: t('deploy.whyTimeoutCommand'), todo: t('deploy.doTimeoutCommand'), ways: ['retry', 'board'] };
    case 'timeout-stream':
      return { why: t('deploy.whyTimeoutStream'), todo: t('deploy.doTimeoutStream'), ways: ['retry', 'board'] };
    case 'silent':
      return { why: t('deploy.whySilent'), todo: t('deploy.doSilent'), ways: ['retry', 'board'] };
    case 'garbage':
      return { why: t('deploy.whyGarbage'), todo: t('deploy.doGarbage'), ways: ['retry', 'board'] };
    case 'wrong-baud':
      return { why: t('recovery.whyWrongBaud'), todo: t('recovery.doWrongBaud'), ways: ['board'] };
    case 'bootloader-silent':
      return { why: t('recovery.whyBootloaderSilent'), todo: t('recovery.doBootloaderSilent'), ways: ['retry'] };
    case 'wrong-board':
      return { why: t('recovery.whyWrongBoard'), todo: t('recovery.doWrongBoard'), ways: ['board'] };
    case 'board-reset':
      return { why: t('recovery.whyBoardReset'), todo: t('recovery.doBoardReset'), ways: ['retry', 'board'] };
    case 'taken-over':
      return { why: t('recovery.whyTakenOver'), todo: t('recovery.doTakenOver'), ways: ['board'] };
    case 'disconnected':
      return { why: t('deploy.whyDisconnected'), todo: t('deploy.doDisconnected'), ways: ['retry', 'board'] };
    case 'link-failed':
      return { why: t('deploy.whyLinkFailed'), todo: t('deploy.doLinkFailed'), ways: ['retry', 'board'] };
    case 'refused':
      return { why: t('deploy.whyRefused'), todo: t('deploy.doRefused'), ways: ['retry', 'board'] };
    case 'not-supported':
      return { why: t('deploy.whyNotSupported'), todo: t('deploy.doNotSupported'), ways: ['board'] };
    case 'firmware-too-old':
      return { why: t('deploy.whyFirmwareTooOld'), todo: t('deploy.doFirmwareTooOld'), ways: ['retry', 'board'] };
    case 'model-too-big':
      return { why: t('deploy.whyModelTooBig'), todo: t('deploy.doModelTooBig'), ways: ['features', 'model'] };
    case 'model-rejected':
      return { why: t('deploy.whyModelRejected'), todo: t('deploy.doModelRejected'), ways: ['retry', 'model'] };
    case 'verify-mismatch':
      return { why: t('deploy.whyVerifyMismatch'), todo: t('deploy.doVerifyMismatch'), ways: ['retry'] };
    case 'self-test-failed':
      return { why: t('deploy.whySelfTestFailed'), todo: t('deploy.doSelfTestFailed'), ways: ['retry'] };
    case 'slot-corrupt':
      return { why: t('deploy.whySlotCorrupt'), todo: t('deploy.doSlotCorrupt'), ways: ['retry'] };
    case 'no-model':
      return { why: t('deploy.whyNoModel'), todo: t('deploy.doNoModel'), ways: ['model'] };
    case 'busy':
      return { why: t('deploy.whyBusy'), todo: t('deploy.doBusy'), ways: ['retry'] };
    case 'cancelled':
      return { why: t('deploy.whyCancelled'), todo: t('deploy.doCancelled'), ways: ['retry'] };
  }
}

export function troubleOf(error: unknown): Trouble {
  const said = error instanceof Error ? error.message : String(error);
  if (error instanceof BoardError) return { happened: recoveryOf(error).title, said, ...adviceOf(error.code) };
  return {
    happened: t('deploy.errUnknown'),
    why: t('deploy.whyUnknown'),
    todo: t('deploy.doUnknown'),
    said,
    ways: ['retry'],
  };
}

/** What the board runs after a deploy ended early, as far as the studio can know. */
export function whatStillRuns(step: DeployStep, before: BoardModel | null): string {
  switch (step) {
    case 'switching':
    case 'done':
      return t('deploy.oldUnknown');
    case 'checking':
    case 'writing':
    case 'verifying':
    case 'self-test':
      return before ? t('deploy.oldRuns', { name: before.name }) : t('deploy.oldNone');
  }
}

export function stepName(step: DeployStep): string {
  switch (step) {
    case 'checking':
      return t('deploy.stepChecking');
    case 'writing':
      return t('deploy.stepWriting');
    case 'verifying':
      return t('deploy.stepVerifying');
    case 'self-test':
      return t('deploy.stepSelfTest');
    case 'switching':
    case 'done':
      return t('deploy.stepSwitching');
  }
}
