/** Where words go: results for machines to stdout, everything for people to stderr. */
import { writeSync } from 'node:fs';

/** How often progress is shown, so that a log does not fill up. */
const PROGRESS_EVERY_MS = 500;

/** Writes all of the text before it returns; a pipe that the reader closed is not a fault. */
function writeAll(fd: number, text: string): void {
  const bytes = Buffer.from(text);
  let at = 0;
  while (at < bytes.length) {
    try {
      at += writeSync(fd, bytes, at);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EPIPE') process.exit(0);
      if (code !== 'EAGAIN') throw error;
    }
  }
}

/** One result: a line of JSON. */
export function printResult(value: unknown): void {
  writeAll(1, `${JSON.stringify(value)}\n`);
}

/** A text result, as it is. */
export function printText(text: string): void {
  writeAll(1, text);
}

/** One line for people. */
export function say(message: string): void {
  writeAll(2, `${message}\n`);
}

/** Says a line now and then: the first, then at most one every half second; `force` always does. */
export function createProgress(): (message: string, force?: boolean) => void {
  let last = -Infinity;
  return (message, force = false) => {
    const now = performance.now();
    if (!force && now - last < PROGRESS_EVERY_MS) return;
    last = now;
    say(message);
  };
}

/** Libraries that chat on stdout would spoil the results: their words go to stderr. */
export function keepStdoutClean(): void {
  const toStderr = (...words: unknown[]) => console.error(...words);
  console.log = toStderr;
  console.info = toStderr;
  console.debug = toStderr;
}
