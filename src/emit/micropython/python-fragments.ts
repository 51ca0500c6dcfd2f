/**
 * The Python of the runtime, cut to what one model needs: the files of `firmware/micropython`, split into functions and
 * followed from those that the model calls. Comments go, and one space indents: source takes memory while it is read.
 */
import floatsText from '../../../firmware/micropython/floats.py?raw';
import integersText from '../../../firmware/micropython/integers.py?raw';
import kernelsText from '../../../firmware/micropython/kernels.py?raw';
import selftestText from '../../../firmware/micropython/selftest.py?raw';

/** `kernels` may run as viper, `floats` differ with the port's floats: both are executed from strings. */
type Origin = 'kernels' | 'floats' | 'plain';

interface PythonFunction {
  readonly name: string;
  readonly origin: Origin;
  readonly text: string;
  readonly calls: readonly string[];
}

function pack(text: string): string {
  return text
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.trimStart().startsWith('#'))
    .map((line) => {
      const code = line.trimStart();
      return ' '.repeat((line.length - code.length) / 4) + code;
    })
    .join('\n');
}

function split(text: string, origin: Origin): PythonFunction[] {
  return pack(text)
    .split(/^(?=(?:@fast\n)?def )/m)
    .filter((part) => part.includes('def '))
    .map((part) => {
      const body = part.trimEnd();
      const name = /^def (\w+)/m.exec(body)?.[1] ?? '';
      const calls = [...new Set(body.match(/\b_\w+/g) ?? [])].filter((other) => other !== name);
      return { name, origin, text: body, calls };
    });
}

const FUNCTIONS: readonly PythonFunction[] = [
  ...split(kernelsText, 'kernels'),
  ...split(integersText, 'plain'),
  ...split(selftestText, 'plain'),
  ...split(floatsText, 'floats'),
];
const BY_NAME: ReadonlyMap<string, PythonFunction> = new Map(FUNCTIONS.map((one) => [one.name, one]));

/** The text of the functions named and of all that they call, by where it goes, each in the order of the files. */
export function pythonRuntime(names: Iterable<string>): Readonly<Record<Origin, string>> {
  const wanted = new Set<string>();
  const visit = (name: string): void => {
    const found = BY_NAME.get(name);
    if (!found || wanted.has(name)) return;
    wanted.add(name);
    found.calls.forEach(visit);
  };
  for (const name of names) {
    if (!BY_NAME.has(name)) throw new Error(`The Python runtime has no function ${name}.`);
    visit(name);
  }
  const of = (origin: Origin): string =>
    FUNCTIONS.filter((one) => one.origin === origin && wanted.has(one.name))
      .map((one) => one.text)
      .join('\n');
  return { kernels: of('kernels'), floats: of('floats'), plain: of('plain') };
}
