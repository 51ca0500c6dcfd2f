/**
 * A link carries bytes to and from a board and knows nothing of their meaning. Backings: native Web Serial, the WebUSB
 * polyfill, the virtual board, the replay board, and a faulty link for tests.
 */

import type { MotionControl } from './board';

export interface LinkInfo {
  readonly kind: 'web-serial' | 'webusb' | 'virtual' | 'replay' | 'test';
  /** What a person calls it: "Arduino (2341:0043)". */
  readonly title: string;
  readonly usbVendorId: number | null;
  readonly usbProductId: number | null;
}

export type LinkErrorCode =
  | 'chooser-cancelled'
  | 'not-supported'
  /** Allowed, but not plugged in (or the browser does not see it). */
  | 'no-port'
  /** Another tab of the studio has it open. */
  | 'busy-tab'
  /** Another tab asked for the board, and this one let it go. */
  | 'taken-over'
  | 'permission-blocked'
  | 'busy'
  | 'open-failed'
  | 'disconnected'
  | 'write-timeout'
  | 'framing'
  | 'closed';

export class LinkError extends Error {
  override readonly name = 'LinkError';
  constructor(
    readonly code: LinkErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

export interface LinkEvents {
  /** Bytes arrived; `at` is the arrival time on the injected clock, ms. The array is owned by the receiver. */
  readonly onBytes: (bytes: Uint8Array, at: number) => void;
  /** The link is gone (cable pulled, peer closed) and will not deliver any more. Called once. */
  readonly onLost: (error: LinkError) => void;
}

export interface Link {
  readonly info: LinkInfo;
  /** Virtual board only: its motion generator. */
  readonly generator?: MotionControl;
  /** Opens the port; rejects with LinkError. A link can be opened again after `close`, or after it was lost. */
  open(options: { readonly baudRate: number }, events: LinkEvents): Promise<void>;
  /** Resolves when the bytes were handed to the operating system. Rejects with LinkError. */
  write(bytes: Uint8Array): Promise<void>;
  /** Control lines, where the backing has them. */
  setSignals?(signals: { readonly dataTerminalReady?: boolean; readonly requestToSend?: boolean }): Promise<void>;
  /**
   * Calls `listener` when the same board seems to be back after it was lost (re-plugged), so that `open` is worth a
   * try. Returns the function that stops it. Absent where a backing cannot know.
   */
  onReturn?(listener: () => void): () => void;
  /**
   * Asks other tabs of the studio to let go of this board; resolves when they did, so that `open` is worth a try. Absent
   * where a backing belongs to one tab only. Rejects with LinkError.
   */
  takeOver?(): Promise<void>;
  /**
   * While something is written that must not be cut short, other tabs that ask for the board are told to wait. Returns
   * the function that ends it. Absent where a backing belongs to one tab only.
   */
  keep?(): () => void;
  /** Closes; never rejects; idempotent. */
  close(): Promise<void>;
}
