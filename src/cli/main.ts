/** The command line: the same path as the studio, without a browser. Built into dist-cli/, started by scripts/mote.mjs. */
import { DspError } from '../dsp/block';
import { EmitError } from '../emit/model';
import { FormatError } from '../formats/format-error';
import { TfliteError } from '../emit/tflite/tflite-error';
import { GraphError } from '../graph/float-graph';
import { LearnError } from '../learn/pipeline';
import { QuantizeError } from '../quantize/int8-graph';
import { parseArguments } from './arguments';
import { compileVerb } from './compile';
import { bundleVerb } from './bundle';
import { featuresVerb } from './features';
import { generateVerb } from './generate';
import { headerVerb } from './header';
import { libraryVerb } from './library';
import { keepStdoutClean, printText, say } from './output';
import { runVerb } from './run';
import { trainVerb } from './train';
import { UsageError } from './usage-error';
import type { Verb } from './verb';

const EXIT_OK = 0;
const EXIT_INTERNAL_FAULT = 1;
const EXIT_BAD_INPUT = 2;
const EXIT_INTERRUPTED = 130;

const VERBS: Readonly<Record<string, Verb>> = {
  train: trainVerb,
  features: featuresVerb,
  run: runVerb,
  header: headerVerb,
  bundle: bundleVerb,
  library: libraryVerb,
  compile: compileVerb,
  generate: generateVerb,
};

function usage(): string {
  const verbs = Object.entries(VERBS).map(([name, verb]) => `  ${name.padEnd(10)}${verb.summary}`);
  return [
    'usage: npm run -s mote -- VERB ...',
    '',
    ...verbs,
    '',
    'VERB --help tells more. Results go to stdout, progress to stderr; exit code 2 means bad input.',
    '',
  ].join('\n');
}

function verbUsage(name: string, verb: Verb): string {
  const flags = Object.entries(verb.flags).map(
    ([flag, { value, help }]) => `  ${`--${flag} ${value}`.padEnd(22)}${help}`,
  );
  return [`usage: npm run -s mote -- ${name} ${verb.synopsis}`, '', verb.summary, '', ...flags, ''].join('\n');
}

/** Errors that say what is wrong with the input: exit code 2. Everything else is our own fault. */
function exitCodeOf(error: unknown): number {
  if (error instanceof LearnError) {
    switch (error.code) {
      case 'backend':
        return EXIT_INTERNAL_FAULT;
      case 'cancelled':
        return EXIT_INTERRUPTED;
      case 'no-data':
      case 'one-label':
      case 'no-windows':
      case 'bad-pipeline':
      case 'channel-mismatch':
      case 'rate-mismatch':
      case 'diverged':
        return EXIT_BAD_INPUT;
    }
  }
  const bad =
    error instanceof UsageError ||
    error instanceof FormatError ||
    error instanceof DspError ||
    error instanceof EmitError ||
    error instanceof QuantizeError ||
    error instanceof GraphError ||
    error instanceof TfliteError;
  return bad ? EXIT_BAD_INPUT : EXIT_INTERNAL_FAULT;
}

/** Runs one command; returns the exit code. */
export async function main(argv: readonly string[]): Promise<number> {
  keepStdoutClean();
  const [name, ...rest] = argv;
  const abort = new AbortController();
  const interrupt = () => abort.abort(new Error('interrupted'));
  process.once('SIGINT', interrupt);
  process.once('SIGTERM', interrupt);
  try {
    if (name === undefined) throw new UsageError('bad-arguments', 'no verb; try --help');
    if (name === '--help' || name === '-h' || name === 'help') {
      printText(usage());
      return EXIT_OK;
    }
    if (name === '--version') {
      printText(`${__APP_VERSION__}\n`);
      return EXIT_OK;
    }
    const verb = Object.hasOwn(VERBS, name) ? VERBS[name] : undefined;
    if (!verb) {
      throw new UsageError('bad-arguments', `unknown verb "${name}"; known are ${Object.keys(VERBS).join(', ')}`);
    }
    if (rest.includes('--help') || rest.includes('-h')) {
      printText(verbUsage(name, verb));
      return EXIT_OK;
    }
    await verb.execute(parseArguments(rest, verb.flags), abort.signal);
    return EXIT_OK;
  } catch (error) {
    const code = exitCodeOf(error);
    if (code === EXIT_INTERNAL_FAULT) {
      say(`mote: internal fault: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    } else {
      // One line, whatever is in the message: file names and labels may hold line breaks and control characters.
      // eslint-disable-next-line no-control-regex
      say(`mote: ${(error as Error).message.replace(/[\u0000-\u001f\u007f]+/g, ' ')}`);
    }
    return code;
  } finally {
    process.off('SIGINT', interrupt);
    process.off('SIGTERM', interrupt);
  }
}
