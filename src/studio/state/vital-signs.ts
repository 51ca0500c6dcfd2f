/** One line per stop of the signal path: what it holds, and whether it is out of date. Reads reactive state. */
import { t } from '../messages/messages.svelte';
import type { StationId } from '../shell/route.svelte';
import { isModel } from './model-id';
import type { Studio } from './studio.svelte';

export type StopState = 'empty' | 'ready' | 'live' | 'busy' | 'problem';

export interface VitalSign {
  readonly text: string;
  readonly detail: string | null;
  readonly state: StopState;
  /** Why it is out of date, or null. */
  readonly stale: string | null;
}

function sign(state: StopState, text: string, detail: string | null = null, stale: string | null = null): VitalSign {
  return { state, text, detail, stale };
}

function boardSign(studio: Studio): VitalSign {
  const board = studio.boards.selected;
  if (!board) return sign('empty', t('shell.vitalBoardNone'));
  const others = studio.boards.list.length - 1;
  const more = others > 0 ? t('shell.vitalBoardMore', { count: others }) : null;
  const { state, identity } = board;
  switch (state.name) {
    case 'closed':
      return sign('empty', t('shell.vitalBoardClosed'), more ?? board.name);
    case 'opening':
    case 'identifying':
      return sign('busy', t('shell.vitalBoardOpening'), more);
    case 'ready':
      return sign('ready', t('shell.vitalBoardReady'), more ?? board.name);
    case 'streaming':
      return sign(
        'live',
        t('shell.vitalBoardRate', { channels: identity?.channels.length ?? 0, rate: identity?.rateHz ?? 0 }),
        more ?? board.name,
      );
    case 'programming':
      return sign('busy', t('recovery.stateProgramming'), more ?? board.name);
    case 'deploying':
      return sign('busy', t('shell.vitalBoardDeploying'), more ?? board.name);
    case 'lost':
      return sign('problem', t('shell.vitalBoardLost'), more ?? board.name);
    case 'failed':
      return sign('problem', t('shell.vitalBoardFailed'), more ?? board.name);
  }
}

function dataSign(studio: Studio): VitalSign {
  const { recordings, recorder } = studio;
  if (recorder.phase === 'recording') return sign('busy', t('shell.vitalDataRecording', { time: recorder.seconds }));
  const count = recordings.all.length;
  if (count === 0) return sign('empty', t('shell.vitalDataNone'));
  return sign(
    'ready',
    t('shell.vitalDataRecordings', { count }),
    t('shell.vitalDataLabels', { count: recordings.labels.length }),
  );
}

function featuresSign(studio: Studio): VitalSign {
  const features = studio.features;
  if (!features) return sign('empty', t('shell.vitalFeaturesNone'));
  if (features.error) return sign('problem', t('shell.vitalFeaturesBad'));
  if (features.count === 0) return sign('problem', t('shell.vitalFeaturesNothing'));
  return sign('ready', t('shell.vitalFeatures', { count: features.count }));
}

function staleText(studio: Studio): string | null {
  switch (studio.staleReason) {
    case null:
      return null;
    case 'data':
      return t('shell.reasonData');
    case 'pipeline':
      return t('shell.reasonPipeline');
  }
}

function modelSign(studio: Studio): VitalSign {
  const { training, models } = studio;
  if (training.running) {
    return training.stage === 'train'
      ? sign('busy', t('shell.vitalModelTraining', { epoch: training.done, epochs: training.total }))
      : sign('busy', t('shell.vitalModelPreparing'));
  }
  const model = models.current;
  if (!model) return sign(training.phase === 'failed' ? 'problem' : 'empty', t('shell.vitalModelNone'));
  const { flash_weights, ram } = model.record.report;
  return sign('ready', t('shell.vitalModel', { size: flash_weights, ram }), model.name, staleText(studio));
}

function testSign(studio: Studio): VitalSign {
  const model = studio.models.current;
  if (!model) return sign('empty', t('shell.vitalTestNone'));
  const accuracy = model.record.report.accuracy.int8;
  if (accuracy === null && model.record.report.pipeline === null) return sign('ready', t('shell.vitalTestUnknown'));
  if (accuracy === null) return sign('problem', t('shell.vitalTestNoHeldOut'), null, staleText(studio));
  return sign('ready', t('shell.vitalTest', { accuracy }), null, staleText(studio));
}

function deploySign(studio: Studio): VitalSign {
  const { deployment, models, boards } = studio;
  if (deployment.running) {
    const share = deployment.total > 0 ? deployment.done / deployment.total : 0;
    return sign('busy', t('shell.vitalDeployWriting', { share }));
  }
  const model = models.current;
  const board = boards.selected;
  const running = board?.activeModel ?? null;
  if (!model)
    return running
      ? sign('ready', t('shell.vitalDeployOther', { name: running.name }))
      : sign('empty', t('shell.vitalDeployNone'));
  if (!board?.hasSlots) return sign('ready', t('shell.vitalDeployNoBoard'), null, staleText(studio));
  if (running && isModel(model, running.id)) {
    const verified = board.verified.includes(running.id);
    return sign(
      'ready',
      verified
        ? t('shell.vitalDeployVerified', { name: running.name })
        : t('shell.vitalDeployOther', { name: running.name }),
      null,
      staleText(studio),
    );
  }
  return sign('ready', t('shell.vitalDeployReady'), null, running ? t('shell.reasonBoardModel') : staleText(studio));
}

function liveSign(studio: Studio): VitalSign {
  const board = studio.boards.selected;
  const runs = board?.streaming === true && (board.activeModel !== null || studio.models.current !== null);
  return runs ? sign('live', t('shell.vitalLiveReady')) : sign('empty', t('shell.vitalLiveNone'));
}

export function vitalSign(studio: Studio, station: StationId): VitalSign {
  switch (station) {
    case 'board':
      return boardSign(studio);
    case 'data':
      return dataSign(studio);
    case 'features':
      return featuresSign(studio);
    case 'model':
      return modelSign(studio);
    case 'test':
      return testSign(studio);
    case 'deploy':
      return deploySign(studio);
    case 'live':
      return liveSign(studio);
  }
}
