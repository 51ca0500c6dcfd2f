/** Prints C: lines, indentation and braces, so that the code that emits C reads like the C it emits. */
import { commentText } from './c-literals';

const WIDTH = 118;

export class CPrinter {
  #lines: string[] = [];
  #depth = 0;

  line(text: string): void {
    this.#lines.push(text === '' ? '' : '  '.repeat(this.#depth) + text);
  }

  /** One blank line, however often it is asked for. */
  gap(): void {
    if (this.#lines.length > 0 && this.#lines.at(-1) !== '') this.#lines.push('');
  }

  /** Text that is printed already. */
  raw(text: string): void {
    this.#lines.push(...text.split('\n'));
  }

  define(name: string, value = ''): void {
    this.line(`#define ${name} ${value}`.trimEnd());
  }

  /** `head {`, what `body` prints, `}` and `tail`. */
  block(head: string, body: () => void, tail = ''): void {
    this.line(`${head} {`);
    this.#depth++;
    body();
    this.#depth--;
    this.line(`}${tail}`);
  }

  /** `if (condition) {`, ..., `} else {`, ..., `}`. */
  branch(condition: string, then: () => void, otherwise: () => void): void {
    this.block(`if (${condition})`, then, ' else {');
    this.#depth++;
    otherwise();
    this.#depth--;
    this.line('}');
  }

  /** `name(a, b, c);`, wrapped. */
  call(name: string, args: readonly string[], tail = ');'): void {
    const [head = '', ...rest] = this.#wrap(`${name}(`, args, tail);
    this.line(head);
    for (const line of rest) this.line(`    ${line}`);
  }

  /** `declaration = {a, b, c};`, wrapped. */
  array(declaration: string, values: readonly string[]): void {
    this.line(`${declaration} = {`);
    for (const line of this.#wrap('', values, '};')) this.line(`    ${line}`);
  }

  /** A comment for whoever reads the header; each entry is a paragraph of untrusted text. */
  comment(paragraphs: readonly string[]): void {
    const safe = paragraphs.map(commentText);
    const [only] = safe;
    if (safe.length === 1 && only !== undefined && only.length < WIDTH - 8) return this.line(`/* ${only} */`);
    this.line('/*');
    for (const paragraph of safe) for (const text of fold(paragraph)) this.line(text === '' ? ' *' : ` * ${text}`);
    this.line(' */');
  }

  #wrap(head: string, items: readonly string[], tail: string): string[] {
    const lines: string[] = [];
    let current = head;
    items.forEach((item, index) => {
      const text = index === items.length - 1 ? `${item}${tail}` : `${item},`;
      const joined = current === '' || current.endsWith('(') ? current + text : `${current} ${text}`;
      if (joined.length > WIDTH - 2 * this.#depth - 4 && current !== '') {
        lines.push(current);
        current = text;
      } else current = joined;
    });
    lines.push(current);
    return lines;
  }

  finish(): string {
    return `${this.#lines.join('\n')}\n`;
  }
}

/** Folds a paragraph at blanks, and words longer than a line anywhere. */
function fold(paragraph: string): string[] {
  const width = WIDTH - 4;
  const lines: string[] = [];
  let rest = paragraph;
  while (rest.length > width) {
    const blank = rest.lastIndexOf(' ', width);
    const cut = blank > width / 2 ? blank : width;
    lines.push(rest.slice(0, cut));
    rest = rest.slice(cut).replace(/^ /, '');
  }
  lines.push(rest);
  return lines;
}
