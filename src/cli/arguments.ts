/** Command line arguments of one verb: flags with one value or several, everything else is an input. */
import { UsageError } from './usage-error';

export interface Flag {
  /** `one` takes one value, `many` takes all values up to the next flag, `none` is a switch. */
  readonly takes: 'one' | 'many' | 'none';
  /** Stands for the value in the help text. */
  readonly value: string;
  readonly help: string;
}

export interface Arguments {
  readonly inputs: readonly string[];
  /** The value of a flag that takes one, or undefined. */
  one(flag: string): string | undefined;
  /** Whether a switch was given. */
  has(flag: string): boolean;
  /** The values of a flag that takes many; empty when it was not given. */
  many(flag: string): readonly string[];
}

function bad(message: string): UsageError {
  return new UsageError('bad-arguments', message);
}

/** `--name value`, `--name=value`; `--` ends the flags. @throws UsageError `bad-arguments`. */
export function parseArguments(argv: readonly string[], flags: Readonly<Record<string, Flag>>): Arguments {
  const inputs: string[] = [];
  const values = new Map<string, string[]>();
  let at = 0;
  while (at < argv.length) {
    const word = argv[at++]!;
    if (word === '--') {
      inputs.push(...argv.slice(at));
      break;
    }
    if (!word.startsWith('-') || word === '-') {
      inputs.push(word);
      continue;
    }
    const [name, ...rest] = word.replace(/^--?/, '').split('=') as [string, ...string[]];
    const flag = word.startsWith('--') && Object.hasOwn(flags, name) ? flags[name] : undefined;
    if (flag === undefined) {
      const known = Object.keys(flags).map((known) => `--${known}`);
      throw bad(`unknown option ${word}${known.length > 0 ? `; known are ${known.join(', ')}` : ''}`);
    }
    if (values.has(name) && flag.takes === 'one') throw bad(`--${name} is given twice`);
    if (flag.takes === 'none') {
      if (rest.length > 0) throw bad(`--${name} takes no value`);
      values.set(name, []);
      continue;
    }
    const taken = values.get(name) ?? [];
    if (rest.length > 0) taken.push(rest.join('='));
    else {
      const most = flag.takes === 'one' ? at + 1 : argv.length;
      while (at < Math.min(most, argv.length) && !argv[at]!.startsWith('--')) taken.push(argv[at++]!);
    }
    if (taken.length === 0 || taken.some((value) => value === '')) throw bad(`--${name} needs a value: ${flag.value}`);
    values.set(name, taken);
  }
  return {
    inputs,
    one: (flag) => values.get(flag)?.[0],
    has: (flag) => values.has(flag),
    many: (flag) => values.get(flag) ?? [],
  };
}

/** The number given for a flag, or undefined. @throws UsageError `bad-arguments`. */
export function numberOf(
  args: Arguments,
  flag: string,
  { minimum, maximum, whole = false }: { readonly minimum: number; readonly maximum: number; readonly whole?: boolean },
): number | undefined {
  const text = args.one(flag);
  if (text === undefined) return undefined;
  const value = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : NaN;
  if (!(value >= minimum && value <= maximum) || (whole && !Number.isInteger(value))) {
    throw bad(`--${flag} must be a ${whole ? 'whole ' : ''}number from ${minimum} to ${maximum}, not "${text}"`);
  }
  return value;
}
