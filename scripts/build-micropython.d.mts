/** MicroPython for emulated chips; see build-micropython.mjs. */
export function micropythonFirmware(name: 'cortex-m0' | 'cortex-m3' | 'riscv32'): string;
/** Builds what is missing. Returns null, or why it could not be built. */
export function ensureMicroPython(): string | null;
