/** What can go wrong between us and a MicroPython board. */
export type MicroPythonErrorCode =
  /** The board did not enter the raw REPL. */
  | 'no-repl'
  /** The board stopped taking program text. */
  | 'timeout-send'
  /** A program did not end, or printed nothing for too long. */
  | 'timeout-run'
  /** The program raised an exception; `traceback` has it. */
  | 'exception'
  | 'out-of-memory'
  | 'no-space'
  | 'read-only'
  | 'no-file'
  | 'bad-name'
  | 'protocol'
  | 'verify-mismatch'
  /** The board does not compute the studio's bytes. */
  | 'self-test'
  /** There is a main.py that is not ours, and nobody agreed to replace it. */
  | 'main-exists'
  | 'disconnected'
  | 'cancelled';

/**
 * Files on the board after an upload that did not end well. `former`: as they were. `either`: all as they were, or all
 * new; the next upload or look finds out. `mixed`: the board cannot rename, and some are new or cut short.
 */
export type FilesLeft = 'former' | 'either' | 'mixed';

export class MicroPythonError extends Error {
  override readonly name = 'MicroPythonError';
  constructor(
    readonly code: MicroPythonErrorCode,
    message: string,
    options?: ErrorOptions & { readonly traceback?: string; readonly filesLeft?: FilesLeft },
  ) {
    super(message, options);
    this.traceback = options?.traceback ?? '';
    this.filesLeft = options?.filesLeft ?? null;
  }
  /** As the board printed it; empty without. */
  readonly traceback: string;
  /** Null where no upload was under way. */
  readonly filesLeft: FilesLeft | null;
}

/** A traceback as an error that says what to do. */
export function exceptionError(traceback: string): MicroPythonError {
  const last = traceback.trim().split(/\r?\n/).at(-1)?.slice(0, 200) ?? '';
  if (/^MemoryError/.test(last)) {
    return new MicroPythonError(
      'out-of-memory',
      'The board has not enough memory for this. Choose a smaller model or a board with more RAM.',
      { traceback },
    );
  }
  if (/^OSError/.test(last)) {
    if (/\b(?:28|51)\b|ENOSPC|No more storage/.test(last)) {
      return new MicroPythonError('no-space', 'The board’s file system is full. Delete files that you do not need.', {
        traceback,
      });
    }
    if (/\b30\b|EROFS/.test(last)) {
      return new MicroPythonError('read-only', 'The board does not let programs write its files.', { traceback });
    }
    // Ports compiled to WebAssembly number their errors otherwise: 44.
    if (/\b(?:2|44)\b|ENOENT|file not found/i.test(last)) {
      return new MicroPythonError('no-file', 'The board has no such file.', { traceback });
    }
  }
  return new MicroPythonError('exception', `The program on the board stopped: ${last}`, { traceback });
}
