/**
 * What the studio needs from rooms with a life of their own (store, boards, worker, files), as one injected object: the
 * state classes know these signatures only, and tests pass fakes. Pure rooms are imported where they are used.
 */
import type { BoardSession } from '../board/board';
import type { Link } from '../board/link';
import type { BoardNote } from '../board/session';
import type { VirtualBoardStorage, VirtualLink } from '../board/virtual-link';
import type { ImportNote, ImportProblem } from '../formats/import';
import type { LoadedRecording } from '../signal/recording';
import type { StudioStore } from '../store/studio-store';
import type { Trainer } from '../worker/train-client';

/** How this browser reaches a USB board. */
export type SerialSupport = 'web-serial' | 'webusb' | 'none';

/** A file with the folder path it was dropped with ("wave/01.csv"). */
export interface ImportFile {
  readonly path: string;
  readonly file: File;
}

export interface ImportRemarks {
  readonly problems: readonly ImportProblem[];
  readonly notes: readonly ImportNote[];
}

export interface BoardServices {
  readonly support: SerialSupport;
  /** The C firmware in a worker, with the shipped model in its flash. */
  virtualLink(
    storage: VirtualBoardStorage,
    options?: { readonly serial: string; readonly title: string; readonly seed: number },
  ): Promise<VirtualLink>;
  /** Ids of the models that ship with the studio, as far as they were loaded. */
  readonly shippedModels: readonly number[];
  /** Plays a recording through real bytes. */
  replayLink(loaded: LoadedRecording, options: { readonly loop: boolean; readonly speed: number }): Link;
  /** Opens the browser's port chooser; needs a click. Rejects with LinkError `chooser-cancelled`. */
  chooseLink(): Promise<Link>;
  /** Boards that were allowed before and are plugged in. */
  rememberedLinks(): Promise<Link[]>;
  /** USB ids of the ports that other tabs of the studio have open. */
  openElsewhere(): Promise<readonly string[]>;
  /** Gives the permission for a board back. */
  forgetLink(link: Link): Promise<void>;
  /** Called when a board is plugged in or unplugged. */
  onPlugged(listener: () => void): () => void;
  /** The one session of this link. */
  session(link: Link, note: BoardNote | undefined, storeNote: (note: BoardNote) => void): BoardSession;
  closeSession(session: BoardSession): Promise<void>;
}

export interface StudioServices {
  readonly boards: BoardServices;
  openStore(): Promise<StudioStore>;
  /**
   * Reads files of any known format, one after the other. Files that fail are reported, never thrown; what `onRecording`
   * throws ends the import.
   */
  importFiles(
    files: readonly ImportFile[],
    options: {
      readonly sessionId: string;
      readonly onRecording: (loaded: LoadedRecording) => Promise<void>;
      readonly onProgress: (done: number, total: number) => void;
      readonly signal: AbortSignal;
    },
  ): Promise<ImportRemarks>;
  /** Training and testing in the worker. */
  readonly trainer: Trainer;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly randomId: () => string;
}
