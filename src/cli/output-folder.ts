/** Folders and files that commands write. What cannot be written is a UsageError `cannot-write`. */
import { mkdir, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { UsageError } from './usage-error';

function cannot(what: string, cause: unknown): UsageError {
  return new UsageError('cannot-write', `${what}: ${(cause as Error).message}`, { cause });
}

/**
 * Makes the folder and those above it, one by one: Node's own `recursive` never returns where the system denies that a
 * folder exists that it shows, as under /proc.
 */
export async function makeFolder(folder: string): Promise<void> {
  const missing: string[] = [];
  let at = path.resolve(folder);
  try {
    while (!(await exists(at)) && path.dirname(at) !== at) {
      missing.unshift(at);
      at = path.dirname(at);
    }
    for (const each of missing) {
      // Another command may have made it in the meantime.
      await mkdir(each).catch(async (error: unknown) => {
        if (!(await exists(each))) throw error;
      });
    }
    if (!(await stat(folder)).isDirectory()) throw new Error('there is a file of that name');
  } catch (cause) {
    throw cannot(`cannot make the folder ${folder}`, cause);
  }
}

async function exists(at: string): Promise<boolean> {
  try {
    await stat(at);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}

/** Writes the file. */
export async function writeOutput(file: string, content: string | Uint8Array): Promise<void> {
  try {
    await writeFile(file, content);
  } catch (cause) {
    throw cannot(`cannot write ${file}`, cause);
  }
}
