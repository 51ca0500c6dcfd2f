/** Exact C99 and C++ text for numbers, strings and comments. Text may come from anywhere: nothing in it may escape. */

/** A float32 with as many digits as it needs to come back bit for bit (9 at most), always with a point or exponent. */
export function floatLiteral(value: number): string {
  if (!Number.isFinite(value)) throw new RangeError(`${value} has no C literal`);
  if (Object.is(value, -0)) return '-0.0f';
  const digits = value.toPrecision(9);
  const [mantissa = '', exponent] = digits.split('e');
  const trimmed = mantissa.includes('.') ? mantissa.replace(/0+$/, '').replace(/\.$/, '.0') : `${mantissa}.0`;
  return `${trimmed}${exponent === undefined ? '' : `e${exponent}`}f`;
}

/** An int32. The smallest has no literal of its own: its digits alone would not fit before the sign applies. */
export function int32Literal(value: number): string {
  return value === -2147483648 ? '(-2147483647 - 1)' : String(value);
}

export function uint32Literal(value: number): string {
  return `0x${value.toString(16).toUpperCase().padStart(8, '0')}u`;
}

/** A C string literal of the text's UTF-8 bytes. Octal escapes end after three digits, so that nothing can join them. */
export function stringLiteral(text: string): string {
  const bytes = new TextEncoder().encode(text);
  const body = Array.from(bytes, (byte) => {
    const character = String.fromCharCode(byte);
    // A question mark may start a trigraph, so it is escaped like quote, backslash and all that is not plain ASCII.
    const plain = byte >= 0x20 && byte < 0x7f && !'"\\?'.includes(character);
    return plain ? character : `\\${byte.toString(8).padStart(3, '0')}`;
  });
  return `"${body.join('')}"`;
}

/**
 * Text for the inside of a block comment: printable ASCII that can neither close nor nest a comment, splice lines nor
 * form a trigraph; anything else becomes `<U+0041>`.
 */
export function commentText(text: string): string {
  return Array.from(text, (character) => {
    const code = character.codePointAt(0) as number;
    const plain = code >= 0x20 && code < 0x7f && !'\\?'.includes(character);
    return plain ? character : `<U+${code.toString(16).toUpperCase().padStart(4, '0')}>`;
  })
    .join('')
    .replaceAll('/*', '/ *')
    .replaceAll('*/', '* /');
}
