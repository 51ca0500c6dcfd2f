/** Baud rates that sketches use, slowest first. */
export const BAUD_RATES: readonly number[] = [
  9600, 19_200, 38_400, 57_600, 115_200, 230_400, 250_000, 460_800, 500_000, 921_600, 1_000_000, 2_000_000,
];
