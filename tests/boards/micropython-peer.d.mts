/** MicroPython compiled to WebAssembly as a board on a wire; see micropython-peer.mjs. */
export class MicroPythonPeer {
  static start(
    send: (bytes: Uint8Array) => void,
    files?: Readonly<Record<string, Uint8Array>>,
  ): Promise<MicroPythonPeer>;
  /** Bytes to the board, dealt with in order. */
  feed(bytes: Uint8Array): Promise<void>;
  /** The bytes of a file on the board, or null. */
  file(name: string): Uint8Array | null;
}
