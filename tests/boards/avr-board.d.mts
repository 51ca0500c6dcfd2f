export const CLOCK_HZ: number;

export class AvrBoard {
  constructor(bootLoaderHex: string);
  readonly flash: Uint8Array<ArrayBuffer>;
  onByte: (byte: number) => void;
  volts: (seconds: number) => readonly number[];
  readonly pagesWritten: number;
  readonly cycles: number;
  readonly baudRate: number;
  reset(): void;
  send(bytes: Iterable<number>): void;
  run(seconds: number): void;
  paintStack(from: number): void;
  readonly stackBytes: number;
}
