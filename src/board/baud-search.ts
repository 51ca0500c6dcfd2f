/** Finding the baud rate of a board by trying the usual ones. */
import { BoardError } from './board';
import type { BoardIdentity, BoardSession } from './board';

/** Most usual first: what boards print at when nobody changed anything. */
export const USUAL_BAUD_RATES = [115_200, 9600, 57_600, 38_400, 19_200, 230_400, 460_800, 921_600] as const;

export interface BaudSearch {
  readonly onTry?: (baudRate: number, index: number, total: number) => void;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Connects at one rate after the other until the board is understood; `tried` (the rate that failed) is left out. The
 * session keeps the rate that works, or gets the old one back. Rejects with the error of the first rate.
 */
export async function findBaudRate(
  session: BoardSession,
  tried: number,
  { onTry, signal }: BaudSearch = {},
): Promise<{ readonly baudRate: number; readonly identity: BoardIdentity }> {
  const rates = USUAL_BAUD_RATES.filter((rate) => rate !== tried);
  for (const [index, baudRate] of rates.entries()) {
    onTry?.(baudRate, index, rates.length);
    try {
      const identity = await session.connect({ baudRate, ...(signal ? { signal } : {}) });
      return { baudRate, identity };
    } catch (error) {
      // Only "not understood" says something about the rate; a pulled cable ends the search.
      const tryNext = error instanceof BoardError && NOT_UNDERSTOOD.has(error.code);
      if (!tryNext) throw error;
    }
  }
  await session.disconnect();
  const error = new BoardError(
    'garbage',
    `The board was not understood at any of the usual rates (${USUAL_BAUD_RATES.join(', ')}). Look into its program for the rate it uses, or press its reset button and try again.`,
  );
  // Leaves the session as it was found: at its own rate, with a state that says what is wrong.
  await session.connect({ baudRate: tried }).then(
    () => undefined,
    () => undefined,
  );
  throw error;
}

const NOT_UNDERSTOOD: ReadonlySet<string> = new Set(['silent', 'garbage', 'wrong-baud', 'timeout-hello']);
