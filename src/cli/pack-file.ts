/** A pack from disk. */
import { readPack } from '../emit/pack';
import type { Model } from '../emit/model';
import { readInput } from './input-files';

/** The bytes of a pack and what is in it. @throws UsageError for a file that cannot be read, EmitError for a bad pack. */
export async function readPackFile(path: string): Promise<{ readonly bytes: Uint8Array; readonly model: Model }> {
  const bytes = await readInput(path);
  return { bytes, model: readPack(bytes) };
}
