/** Numbers, bytes and texts as Python source that CPython and MicroPython read alike. ASCII only. */

/** Longest line of a bytes literal, characters. */
const LINE_CHARACTERS = 112;

function escapeByte(byte: number): string {
  if (byte === 0x5c || byte === 0x27) return `\\${String.fromCharCode(byte)}`;
  if (byte >= 0x20 && byte < 0x7f) return String.fromCharCode(byte);
  return `\\x${byte.toString(16).padStart(2, '0')}`;
}

/** `b'...'`, in brackets over several lines when it is long. */
export function bytesLiteral(bytes: Uint8Array): string {
  const lines: string[] = [];
  let line = '';
  for (const byte of bytes) {
    if (line.length > LINE_CHARACTERS - 4) {
      lines.push(line);
      line = '';
    }
    line += escapeByte(byte);
  }
  if (line !== '' || lines.length === 0) lines.push(line);
  if (lines.length === 1) return `b'${lines[0] ?? ''}'`;
  return `(\n${lines.map((part) => ` b'${part}'`).join('\n')}\n)`;
}

/** int8 as bytes that hold value + 128. */
export function offsetBytes(values: Int8Array): Uint8Array {
  return Uint8Array.from(values, (value) => value + 128);
}

function littleEndian(count: number, set: (view: DataView, index: number) => void): Uint8Array {
  const bytes = new Uint8Array(4 * count);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < count; i++) set(view, i);
  return bytes;
}

/** `array('i', ...)`: as decimal numbers where that is shorter. */
export function int32Array(values: ArrayLike<number>): string {
  const decimal = `array('i', (${Array.from(values).join(', ')}${values.length === 1 ? ',' : ''}))`;
  const bytes = littleEndian(values.length, (view, i) => view.setInt32(4 * i, values[i] as number, true));
  const raw = `array('i', ${bytesLiteral(bytes)})`;
  return decimal.length <= raw.length ? decimal : raw;
}

/** `array('f', ...)` from the bits of the numbers: decimal digits are not read exactly everywhere. */
export function float32Array(values: Float32Array): string {
  const bytes = littleEndian(values.length, (view, i) => view.setFloat32(4 * i, values[i] as number, true));
  return `array('f', ${bytesLiteral(bytes)})`;
}

/** A text in single quotes; everything beyond ASCII is escaped. */
export function stringLiteral(text: string): string {
  let out = '';
  for (const character of text) {
    const code = character.codePointAt(0) as number;
    if (character === '\\' || character === "'") out += `\\${character}`;
    else if (code >= 0x20 && code < 0x7f) out += character;
    else if (code < 0x100) out += `\\x${code.toString(16).padStart(2, '0')}`;
    else if (code < 0x10000) out += `\\u${code.toString(16).padStart(4, '0')}`;
    else out += `\\U${code.toString(16).padStart(8, '0')}`;
  }
  return `'${out}'`;
}

export function tuple(items: readonly (string | number)[]): string {
  return `(${items.join(', ')}${items.length === 1 ? ',' : ''})`;
}

/** One line of a comment: control characters and non-ASCII would end it or not be readable. */
export function commentLine(text: string): string {
  return `# ${text.replace(/[^\x20-\x7e]/g, '?')}`.trimEnd();
}
