export const tools: readonly string[];
/** CRC-32 of the second stage as the boot ROM checks it. */
export function boot2Crc(bytes: Uint8Array): number;
export function build(
  root: string,
  folder: string,
): { readonly files: readonly string[]; readonly flashBytes: number; readonly ramBytes: number };
