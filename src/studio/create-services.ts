/** The composition root: joins the rooms of the house into the services that the studio's state needs. */
import { LinkError } from '../board/link';
import { createReplayLink } from '../board/replay-link';
import {
  browserSerialEnvironment,
  forgetSerialLink,
  onSerialLinksChange,
  rememberedSerialLinks,
  requestSerialLink,
  serialBacking,
} from '../board/serial-links';
import { createSessions } from '../board/sessions';
import { systemTiming } from '../board/timing';
import { createVirtualLink } from '../board/virtual-link';
import { defaultBlock } from '../dsp/compile';
import { openStudioStore } from '../store/indexeddb-store';
import type { BoardServices, StudioServices } from './services';

function unfinished(what: string): LinkError {
  return new LinkError('not-supported', `${what} is not part of this build yet.`);
}

function createBoardServices(): BoardServices {
  const serial = browserSerialEnvironment();
  const sessions = createSessions(systemTiming);
  return {
    support: serialBacking(serial) ?? 'none',
    virtualLink(storage) {
      const wasm = new URL('virtual-board.wasm', document.baseURI).href;
      return Promise.resolve(createVirtualLink({ wasm, storage }));
    },
    replayLink: (loaded, { loop, speed }) => createReplayLink(loaded, { dialect: 'mote', loop, speed }),
    chooseLink: () => requestSerialLink(serial),
    rememberedLinks: () => rememberedSerialLinks(serial),
    forgetLink: (link) => forgetSerialLink(serial, link),
    onPlugged: (listener) => onSerialLinksChange(serial, listener),
    session: (link, note, storeNote) => sessions.open(link, { ...(note ? { note } : {}), storeNote }),
    closeSession: (session) => sessions.close(session),
  };
}

export function createServices(): StudioServices {
  return {
    boards: createBoardServices(),
    openStore: () => openStudioStore(),
    importFiles: () => Promise.reject(unfinished('Import')),
    exportCsv: () => '',
    defaultPipeline: (input) => ({
      version: 1,
      input,
      blocks: [defaultBlock('spectral', input)],
      network: {
        layers: [
          { kind: 'dense', units: 20, activation: 'relu' },
          { kind: 'dense', units: 10, activation: 'relu' },
        ],
      },
      training: {
        epochs: 100,
        batchSize: 32,
        learningRate: 0.0005,
        validationShare: 0.2,
        patience: 20,
        balanceClasses: true,
      },
      smoothing: { windows: 3, threshold: 0.6 },
    }),
    train: () => Promise.reject(unfinished('Training')),
    now: () => Date.now(),
    randomId: () => crypto.randomUUID(),
  };
}
