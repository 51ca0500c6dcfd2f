export function firmwareBoards(): string[];
export function missingTools(board: string): Promise<string[]>;
export function buildFirmware(
  board: string,
  folder: string,
): Promise<{ readonly files: readonly string[]; readonly flashBytes: number; readonly ramBytes: number }>;
