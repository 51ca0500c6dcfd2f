/**
 * Names and labels in files that people and build tools read. They come from anywhere: a label may hold line breaks,
 * quotes, markup or text that runs from right to left, and none of it may change what the file means.
 */
import { commentText } from '../c-literals';

/** Most characters of one name, and most names of a list: enough to recognise, and a README stays one. */
const LONGEST_NAME = 40;
const MOST_NAMES = 12;

/** `text` cut at `longest` characters, with an ellipsis of `dots` where something was cut. */
function cut(text: string, longest: number, dots: string): string {
  const characters = Array.from(text);
  return characters.length <= longest ? text : characters.slice(0, longest).join('') + dots;
}

/** One line of printable ASCII without `=`, for formats without escapes. */
export function asciiLine(text: string, longest: number): string {
  return cut(commentText(text).replaceAll('=', ':').trim(), longest, '...');
}

/**
 * Text inside a Markdown paragraph: ASCII punctuation is escaped with a backslash (CommonMark 0.31, section 2.4), and
 * every control, format and separator character becomes a blank, so that it is one line of text without markup.
 */
export function markdownText(text: string): string {
  return cut(text.replace(/[\p{C}\p{Z}]+/gu, ' ').trim(), LONGEST_NAME, '…').replace(/[!-/:-@[-`{-~]/g, '\\$&');
}

/** `a, b, c and 4 more`; every name by `print`. */
export function listOf(names: readonly string[], print: (name: string) => string): string {
  const shown = names.slice(0, MOST_NAMES).map(print).join(', ');
  return names.length > MOST_NAMES ? `${shown} and ${names.length - MOST_NAMES} more` : shown;
}

/** A JSON string in ASCII, which is a YAML double-quoted scalar as well. */
export function jsonString(text: string): string {
  return JSON.stringify(text).replace(
    /[^\x20-\x7e]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
