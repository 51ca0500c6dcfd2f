/** Imports many files one after the other, so that the page stays alive and memory holds one of them at a time. */
import {
  importFile,
  readContext,
  type ImportFile as FileBytes,
  type ImportNote,
  type ImportProblem,
} from '../formats/import';
import { isLabelFile } from '../formats/edge-impulse-labels';
import { MOST_FILE_BYTES } from '../formats/format-error';
import type { LoadedRecording } from '../signal/recording';
import type { ImportFile, ImportRemarks } from './services';

/** The page gets a turn this often, ms: a frame and a half. */
const TURN_MS = 24;

export interface ImportInTurnOptions {
  readonly sessionId: string;
  /** Milliseconds since the epoch, for files without a date. */
  readonly now: number;
  readonly onRecording: (loaded: LoadedRecording) => Promise<void>;
  readonly onProgress: (done: number, total: number) => void;
  readonly signal: AbortSignal;
}

/** Throws what `onRecording` throws. After an abort it returns what was found so far. */
export async function importInTurn(files: readonly ImportFile[], options: ImportInTurnOptions): Promise<ImportRemarks> {
  const { onRecording, onProgress, signal, now, sessionId } = options;
  const problems: ImportProblem[] = [];
  const notes: ImportNote[] = [];
  const sideFiles = files.filter(({ file }) => isLabelFile(file.name));
  const named = await Promise.all(
    files.map(async (one) => (sideFiles.includes(one) ? read(one) : describe(one, new Uint8Array()))),
  );
  const context = readContext(named);
  problems.push(...context.problems);
  const data = files.filter((one) => !sideFiles.includes(one));
  const seen = new Map<string, string>();
  let lastTurn = performance.now();
  for (const [index, one] of data.entries()) {
    if (signal.aborted) break;
    if (one.file.size > MOST_FILE_BYTES) {
      const megabytes = (one.file.size / 2 ** 20).toFixed(0);
      problems.push({
        fileName: one.path,
        code: 'too-large',
        message: `The file has ${megabytes} MB; up to ${MOST_FILE_BYTES / 2 ** 20} MB are imported. Split it.`,
      });
    } else {
      try {
        const result = importFile(await read(one), { now, sessionId }, context);
        problems.push(...result.problems);
        notes.push(...result.notes);
        for (const loaded of result.recordings) {
          const before = seen.get(loaded.recording.id);
          if (before === undefined) {
            seen.set(loaded.recording.id, one.path);
            await onRecording(loaded);
          } else {
            problems.push({
              fileName: one.path,
              code: 'duplicate',
              message: `Holds the same samples as ${before}. Taken once, or the test would know what was trained.`,
            });
          }
        }
      } catch (error) {
        if (!(error instanceof DOMException)) throw error;
        problems.push({
          fileName: one.path,
          code: 'malformed',
          message: `The file could not be read from the disk (${error.name}). Was it moved or deleted? Choose it again.`,
        });
      }
    }
    onProgress(index + 1, data.length);
    if (performance.now() - lastTurn > TURN_MS) {
      await new Promise((resolve) => setTimeout(resolve));
      lastTurn = performance.now();
    }
  }
  return { problems, notes };
}

function describe({ path, file }: ImportFile, bytes: Uint8Array): FileBytes {
  return { name: file.name, path, bytes };
}

async function read(one: ImportFile): Promise<FileBytes> {
  return describe(one, new Uint8Array(await one.file.arrayBuffer()));
}
