/** `generate --out DIR`: recordings of generated motion as CSV files, to try the path without a board. */
import { join } from 'node:path';
import { exportCsv } from '../formats/csv-export';
import { generateRecording, MotionGenerator } from '../signal/motion-generator';
import { numberOf } from './arguments';
import { printResult } from './output';
import { makeFolder, writeOutput } from './output-folder';
import { UsageError } from './usage-error';
import type { Verb } from './verb';

const MAX_RECORDINGS = 1000;

export const generateVerb: Verb = {
  summary: 'Write recordings of generated motion as CSV files, one per gesture and repetition.',
  synopsis: '--out DIR [--count N] [--seconds S] [--rate HZ] [--seed N]',
  flags: {
    out: { takes: 'one', value: 'DIR', help: 'folder for the files (made when missing)' },
    count: { takes: 'one', value: 'N', help: 'recordings per gesture (default 12)' },
    seconds: { takes: 'one', value: 'S', help: 'length of each in seconds (default 8)' },
    rate: { takes: 'one', value: 'HZ', help: 'sampling rate in Hz (default 100)' },
    seed: { takes: 'one', value: 'N', help: 'seed of the motion (default 1)' },
  },
  async execute(args, signal) {
    const out = args.one('out');
    if (out === undefined) throw new UsageError('bad-arguments', 'generate needs --out DIR');
    if (args.inputs.length > 0) throw new UsageError('bad-arguments', 'generate takes no inputs');
    const count = numberOf(args, 'count', { minimum: 1, maximum: MAX_RECORDINGS }) ?? 12;
    const seconds = numberOf(args, 'seconds', { minimum: 0.1, maximum: 3600 }) ?? 8;
    const rateHz = numberOf(args, 'rate', { minimum: 1, maximum: 4000 }) ?? 100;
    const seed = numberOf(args, 'seed', { minimum: 0, maximum: 2 ** 31 }) ?? 1;
    await makeFolder(out);
    const files: string[] = [];
    for (const gesture of MotionGenerator.gestures) {
      for (let index = 0; index < Math.floor(count); index++) {
        signal.throwIfAborted();
        const loaded = generateRecording({ gesture, seconds, rateHz, seed: seed * MAX_RECORDINGS + index });
        const file = join(out, `${gesture}.${String(index + 1).padStart(2, '0')}.csv`);
        await writeOutput(file, exportCsv(loaded));
        files.push(file);
      }
    }
    printResult({ out, recordings: files.length, gestures: MotionGenerator.gestures, seconds, rateHz, seed });
    await Promise.resolve();
  },
};
