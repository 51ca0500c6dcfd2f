/** MicroPython compiled to WebAssembly as a board on a wire; see micropython-peer.mjs. */
export class MicroPythonPeer {
  static start(
    send: (bytes: Uint8Array) => void,
    files?: Readonly<Record<string, Uint8Array>>,
    options?: {
      /** Bytes that the board says are free, in blocks of 512. */
      readonly free?: number;
      /** A rename onto a file that is there removes it first, as MicroPython's FAT driver does. */
      readonly fat?: boolean;
    },
  ): Promise<MicroPythonPeer>;
  /** Bytes to the board, dealt with in order. */
  feed(bytes: Uint8Array): Promise<void>;
  /** The bytes of a file on the board, or null. */
  file(name: string): Uint8Array | null;
  /** All files, folders included: path and bytes. */
  readonly tree: ReadonlyMap<string, Uint8Array>;
  /** Replaces all files, as if they had been there since the board was made. */
  setFiles(files: Readonly<Record<string, Uint8Array>>): void;
  /** Changes of the file system so far: files opened for writing, writes, renames, removals, folders. */
  readonly operations: number;
  /** After so many more changes of the file system nothing changes and nothing is heard; `onCut` is called once. */
  cutPowerAfter(operations: number, onCut?: () => void): void;
  /** Power is back: boots with the files as they were. Gives what main.py printed. */
  powerUp(): Promise<string>;
}
