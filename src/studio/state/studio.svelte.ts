/** Everything the stations share. Built once by the shell; stations get it by `getStudio()`. */
import { getContext, setContext } from 'svelte';
import { compileBlock } from '../../dsp/compile';
import type { UnoMemory } from '../../emit/uno-image';
import { StoreError, type SettingStore, type StudioStore } from '../../store/studio-store';
import { t } from '../messages/messages.svelte';
import type { StudioServices } from '../services';
import { Route } from '../shell/route.svelte';
import { fetchFirmware } from '../stations/deploy/firmware-files';
import { Boards } from './boards.svelte';
import { Compilation } from './compilation.svelte';
import { Deployment } from './deployment.svelte';
import { UnoFlash } from './uno-flash.svelte';
import { MicroPythonDeployment } from './micropython-deployment.svelte';
import { HardwareTest } from './hardware-test.svelte';
import { Models } from './models.svelte';
import { Project } from './project.svelte';
import { ReadBack } from './read-back.svelte';
import { Recorder } from './recorder.svelte';
import { Recordings, secondsOf } from './recordings.svelte';
import { SlotWork } from './slot-work.svelte';
import { Toasts } from './toasts.svelte';
import { Training } from './training.svelte';

/** What is newer than the current model. */
export type StaleReason = 'data' | 'pipeline';

export class Studio {
  readonly boards: Boards;
  readonly toasts = new Toasts();
  /** Settings are saved on the side: a full disk is said once and stops nothing. */
  readonly settings: SettingStore;
  readonly deployment = new Deployment();
  readonly micropython = new MicroPythonDeployment();
  readonly unoFlash = new UnoFlash();
  readonly readBack: ReadBack;
  readonly slotWork = new SlotWork();
  readonly hardwareTest = new HardwareTest();
  readonly route = new Route();
  readonly recordings: Recordings;
  readonly project: Project;
  readonly models: Models;
  readonly training: Training;
  readonly recorder: Recorder;
  readonly compilation: Compilation;

  /** Why the current model no longer fits what is upstream; null when it is up to date or there is none. */
  readonly staleReason = $derived.by<StaleReason | null>(() => {
    const model = this.models.current;
    if (!model || model.record.madeElsewhere || !this.recordings.loaded || this.recordings.all.length === 0)
      return null;
    if (model.record.dataKey !== this.recordings.key) return 'data';
    if (model.record.pipelineKey !== this.project.key) return 'pipeline';
    return null;
  });

  /** True while a reload would lose work: the update prompt waits for it. */
  readonly busy = $derived.by(
    () =>
      this.recorder.active ||
      this.training.running ||
      this.deployment.running ||
      this.micropython.running ||
      this.unoFlash.running ||
      this.hardwareTest.running,
  );

  /** Length of the feature vector, or the error that the blocks give on this input. */
  readonly features = $derived.by<{ count: number; error: Error | null } | null>(() => {
    const pipeline = this.project.pipeline;
    if (!pipeline) return null;
    try {
      const count = pipeline.blocks.reduce((sum, block) => sum + compileBlock(block, pipeline.input).featureCount, 0);
      return { count, error: null };
    } catch (error) {
      return { count: 0, error: error as Error };
    }
  });

  constructor(
    readonly services: StudioServices,
    readonly store: StudioStore,
  ) {
    this.settings = {
      getSetting: (key) => store.getSetting(key),
      putSetting: (key, value) =>
        store.putSetting(key, value).catch((error: unknown) => void this.toasts.bad(explain(error))),
    };
    this.boards = new Boards(services.boards, this.settings);
    this.recordings = new Recordings(store);
    this.project = new Project(this.settings, () => this.recordings.all);
    this.models = new Models(store);
    this.compilation = new Compilation(services, this.recordings, this.project, () =>
      this.features && !this.features.error ? this.features.count : null,
    );
    this.readBack = new ReadBack(
      async () => (await (await fetchFirmware('uno.json')).json()) as UnoMemory,
      () => this.models.list,
    );
    this.training = new Training(services, this.recordings, this.project, this.models);
    this.recorder = new Recorder(services, this.recordings, services.randomId(), ({ end, recording }) => {
      if (recording && (end === 'complete' || end === 'stopped'))
        this.toasts.good(t('data.saved', { name: recording.name, time: secondsOf(recording) }));
    });
  }

  async open(): Promise<void> {
    await Promise.all([this.recordings.refresh(), this.project.open(), this.models.refresh(), this.boards.open()]);
    this.store.onChange((what) => {
      if (what === 'recordings') void this.recordings.refresh();
      else if (what === 'models') void this.models.refresh();
      else this.toasts.bad(t('shell.storeClosed'));
    });
  }

  /** Runs an action of the person; failures become a notice that says what happened. */
  async attempt(action: () => Promise<unknown>): Promise<boolean> {
    try {
      await action();
      return true;
    } catch (error) {
      this.toasts.bad(explain(error));
      return false;
    }
  }
}

/** A sentence for people. Errors of our boundaries carry one; store errors have theirs in the message file. */
export function explain(error: unknown): string {
  if (error instanceof StoreError) {
    switch (error.code) {
      case 'unavailable':
        return t('shell.storeUnavailable');
      case 'blocked':
        return t('shell.storeBlocked');
      case 'newer':
        return t('shell.storeNewer');
      case 'exists':
        return t('shell.storeExists');
      case 'busy':
        return t('shell.storeBusy');
      case 'quota':
        return t('shell.storeQuota');
      case 'not-found':
        return t('shell.storeNotFound');
      case 'closed':
        return t('shell.storeClosed');
      case 'corrupt':
        return t('shell.storeCorrupt');
      case 'failed':
        return t('shell.storeFailed');
    }
  }
  return error instanceof Error ? error.message : String(error);
}

const KEY = Symbol('studio');

export function provideStudio(studio: Studio): void {
  setContext(KEY, studio);
}

/** The studio's state, inside any component under the shell. */
export function getStudio(): Studio {
  return getContext<Studio>(KEY);
}
