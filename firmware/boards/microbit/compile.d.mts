export const tools: readonly string[];
export function compile(
  root: string,
  folder: string,
  version: 1 | 2,
): { readonly files: readonly string[]; readonly flashBytes: number; readonly ramBytes: number };
