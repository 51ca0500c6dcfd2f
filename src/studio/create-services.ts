/** The composition root: joins the rooms of the house into the services that the studio's state needs. */
import { LinkError } from '../board/link';
import { packId } from '../emit/pack';
import { generateRecording, MotionGenerator } from '../signal/motion-generator';
import type { LoadedRecording } from '../signal/recording';
import { StoreError } from '../store/studio-store';
import type { StudioServices } from './services';

/** Rate of generated examples: that of the virtual board, so that both fit one pipeline. */
const EXAMPLE_RATE_HZ = 100;

function unfinished(what: string): LinkError {
  return new LinkError('not-supported', `${what} is not part of this build yet.`);
}

export function createServices(): StudioServices {
  return {
    serialSupport: 'serial' in navigator ? 'web-serial' : 'usb' in navigator ? 'webusb' : 'none',
    openStore: () => Promise.reject(new StoreError('unavailable', 'The store is not part of this build yet.')),
    virtualBoard: () => Promise.reject(unfinished('The virtual board')),
    replayBoard: () => Promise.reject(unfinished('The replay board')),
    chooseBoard: () => Promise.reject(unfinished('Web Serial')),
    rememberedBoards: () => Promise.resolve([]),
    importFiles: () => Promise.reject(unfinished('Import')),
    exportCsv: () => '',
    generateExamples({ perLabel, seconds, seed }): LoadedRecording[] {
      return MotionGenerator.gestures.flatMap((gesture) =>
        Array.from({ length: perLabel }, (_, index) =>
          generateRecording({ gesture, seconds, rateHz: EXAMPLE_RATE_HZ, seed: seed + index }),
        ),
      );
    },
    defaultPipeline: () => {
      throw unfinished('Training');
    },
    featureCount: () => 0,
    train: () => Promise.reject(unfinished('Training')),
    packId,
    createRunner: () => {
      throw unfinished('The runner');
    },
    now: () => Date.now(),
    clock: () => performance.now(),
    randomId: () => crypto.randomUUID(),
  };
}
