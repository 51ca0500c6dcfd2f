/** The composition root: joins the rooms of the house into the services that the studio's state needs. */
import { packId } from '../board/deploy';
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
import gesturesUrl from '../../static-models/gestures/gestures.mote?url';
import { openStudioStore } from '../store/indexeddb-store';
import { createTrainer } from '../worker/train-client';
import { importInTurn } from './import-in-turn';
import type { BoardServices, StudioServices } from './services';

function createBoardServices(): BoardServices {
  const serial = browserSerialEnvironment();
  const shippedModels: number[] = [];
  const sessions = createSessions(systemTiming);
  return {
    shippedModels,
    support: serialBacking(serial) ?? 'none',
    async virtualLink(storage, options = undefined) {
      const wasm = new URL('virtual-board.wasm', document.baseURI).href;
      // Ships with a model, so that the virtual board classifies from the first second.
      const factoryPack = new Uint8Array(await (await fetch(gesturesUrl)).arrayBuffer());
      const id = packId(factoryPack);
      if (id !== null && !shippedModels.includes(id)) shippedModels.push(id);
      return createVirtualLink({ wasm, storage, factoryPack, ...options });
    },
    replayLink: (loaded, { loop, speed }) => createReplayLink(loaded, { dialect: 'mote', loop, speed }),
    chooseLink: () => requestSerialLink(serial),
    rememberedLinks: () => rememberedSerialLinks(serial),
    openElsewhere: async () => (await serial.claims?.listElsewhere()) ?? [],
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
    importFiles: (files, options) => importInTurn(files, { ...options, now: Date.now() }),
    trainer: createTrainer({ wasmPath: new URL('tfjs/', document.baseURI).href }),
    now: () => Date.now(),
    randomId: () => crypto.randomUUID(),
  };
}
