/** What the database's failures mean to the user. */
import { StoreError } from './studio-store';

function nameOf(error: unknown): string {
  return error instanceof Error || error instanceof DOMException ? error.name : '';
}

/** Turns whatever IndexedDB threw while doing `what` ("save the recording") into a StoreError. */
export function toStoreError(error: unknown, what: string): StoreError {
  if (error instanceof StoreError) return error;
  switch (nameOf(error)) {
    case 'QuotaExceededError':
      return new StoreError(
        'quota',
        `Could not ${what}: the storage is full. Everything saved before is kept. Empty the trash or free disk space, then try again.`,
        { cause: error },
      );
    case 'VersionError':
      return new StoreError(
        'newer',
        `Could not ${what}: the data was made by a newer version of the studio. Reload the page to get that version.`,
        { cause: error },
      );
    case 'SecurityError':
    case 'UnknownError':
      return new StoreError(
        'unavailable',
        `Could not ${what}: the browser gives no storage here. Leave private mode, or allow site data for this page.`,
        { cause: error },
      );
    case 'InvalidStateError':
      return new StoreError('closed', `Could not ${what}: the storage was closed. Reload the page.`, { cause: error });
    default:
      return new StoreError('failed', `Could not ${what}: ${error instanceof Error ? error.message : String(error)}`, {
        cause: error,
      });
  }
}

/** Just enough of an idb transaction to wait for it. */
interface Waiting {
  readonly done: Promise<void>;
  readonly error: DOMException | null;
  abort(): void;
}

/**
 * Does `work` in a transaction and waits until it is done. A full disk shows only there: every `put` resolves, then
 * `done` rejects. A throwing `work` aborts the transaction.
 */
export async function inTransaction<T, Tx extends Waiting>(
  begin: () => Tx,
  what: string,
  work: (transaction: Tx) => Promise<T>,
): Promise<T> {
  let transaction: Tx | undefined;
  try {
    transaction = begin();
    const open = transaction;
    // Awaited below in every case; without this a failing `work` would leave it as an unhandled rejection.
    open.done.catch(() => undefined);
    const result = await work(open);
    await open.done;
    return result;
  } catch (error) {
    if (transaction) {
      try {
        transaction.abort();
      } catch {
        // It has ended already.
      }
      await transaction.done.catch(() => undefined);
    }
    // Requests only say "aborted"; the transaction knows why.
    const why = !(error instanceof StoreError) && transaction?.error ? transaction.error : error;
    throw toStoreError(why, what);
  }
}
