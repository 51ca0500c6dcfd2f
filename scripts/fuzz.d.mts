export interface FuzzResult {
  readonly runs: number;
  readonly edges: number;
  readonly corpus: number;
  /** Path of the input that ended the run, or null. */
  readonly crash: string | null;
  readonly text: string;
}
export function whyNoFuzzing(): string | null;
export function fuzz(
  name: 'frame' | 'board' | 'pack' | 'pack-dsp' | 'pack-quad',
  seconds: number,
  folder: string,
): Promise<FuzzResult>;
