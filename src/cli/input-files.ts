/** Files and folders named on the command line, and the recordings in them. */
import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { importFile, importFiles, readContext, type ImportFile, type ImportResult } from '../formats/import';
import type { LoadedRecording } from '../signal/recording';
import { say } from './output';
import { UsageError } from './usage-error';

/** Folders within folders: more than this is a loop of links. */
const DEEPEST = 32;
/** Sentences of one kind that are said one by one; the rest is counted. */
const SAID_OF_A_KIND = 3;

export interface InputRecording {
  /** Path as reached from the command line. */
  readonly file: string;
  readonly loaded: LoadedRecording;
}

export interface ReadOptions {
  /** Rate of text files that have no times, Hz. */
  readonly rateHz?: number | undefined;
}

interface FoundFile extends ImportFile {
  readonly file: string;
  readonly path: string;
  /** Named by the user, not found in a folder: it must be readable data. */
  readonly named: boolean;
}

function explain(path: string, cause: unknown): UsageError {
  const { code, message } = cause as NodeJS.ErrnoException;
  if (code === 'ENOENT') return new UsageError('missing-file', `there is no file or folder ${path}`, { cause });
  if (code === 'EISDIR') return new UsageError('unreadable-file', `${path} is a folder, not a file`, { cause });
  return new UsageError('unreadable-file', `cannot read ${path}: ${message}`, { cause });
}

/** The bytes of one file. @throws UsageError `missing-file`, `unreadable-file`. */
export async function readInput(path: string): Promise<Uint8Array> {
  try {
    // A plain Uint8Array: a Buffer's `slice` shares memory, and it may sit anywhere in a larger pool.
    return new Uint8Array(await readFile(path));
  } catch (cause) {
    throw explain(path, cause);
  }
}

/** Paths of all files under a folder, in a fixed order; hidden ones are skipped. */
async function listFolder(folder: string, depth = 0): Promise<string[]> {
  if (depth > DEEPEST) throw new UsageError('unreadable-file', `${folder} lies too deep: do links form a loop?`);
  const names = (await readdir(folder)).filter((name) => !name.startsWith('.')).sort();
  const files: string[] = [];
  for (const name of names) {
    const path = join(folder, name);
    const found = await stat(path);
    if (found.isDirectory()) files.push(...(await listFolder(path, depth + 1)));
    else if (found.isFile()) files.push(path);
  }
  return files;
}

async function findFiles(input: string): Promise<readonly { readonly file: string; readonly path: string }[]> {
  try {
    // Labels and sets are told from folders, but only from those that the user means: the input and what is in it.
    const above = dirname(resolve(input));
    if (!(await stat(input)).isDirectory()) return [{ file: input, path: join(basename(above), basename(input)) }];
    const top = basename(resolve(input));
    return (await listFolder(input)).map((file) => ({ file, path: join(top, file.slice(join(input).length)) }));
  } catch (cause) {
    if (cause instanceof UsageError) throw cause;
    throw explain(input, cause);
  }
}

async function readAll(inputs: readonly string[], signal: AbortSignal): Promise<FoundFile[]> {
  const files: FoundFile[] = [];
  for (const input of inputs) {
    const found = await findFiles(input);
    const named = found.length === 1 && found[0]!.file === input;
    for (const { file, path } of found) {
      signal.throwIfAborted();
      files.push({ file, path, name: basename(file), bytes: await readInput(file), named });
    }
  }
  return files;
}

/** Says what was assumed and left out, without repeating itself for hundreds of files. */
function sayFindings(findings: readonly { readonly fileName: string; readonly message: string }[]): void {
  const kinds = new Map<string, string[]>();
  for (const { fileName, message } of findings) kinds.set(message, [...(kinds.get(message) ?? []), fileName]);
  for (const [message, names] of kinds) {
    const more = names.length - SAID_OF_A_KIND;
    say(`${names.slice(0, SAID_OF_A_KIND).join(', ')}${more > 0 ? ` and ${more} more` : ''}: ${message}`);
  }
}

/** A file that the user named must hold data; one that merely lies in a folder is reported and left out. */
function judge(
  inputs: readonly string[],
  files: readonly FoundFile[],
  { recordings, problems, notes }: Pick<ImportResult, 'recordings' | 'problems' | 'notes'>,
): void {
  const named = new Set(files.filter((file) => file.named).map(({ path }) => path));
  const fatal = problems.find(({ fileName, code }) => named.has(fileName) && code !== 'duplicate');
  if (fatal) throw new UsageError('unreadable-file', `${fatal.fileName}: ${fatal.message}`);
  if (recordings.length === 0) {
    const first = problems[0] ?? notes[0];
    const reason = first ? ` (${first.fileName}: ${first.message})` : '';
    throw new UsageError('no-recordings', `no recording could be read from ${inputs.join(', ')}${reason}`);
  }
  sayFindings([...problems, ...notes]);
}

/** Every recording of every file, in order, with its file. @throws UsageError. */
export async function readRecordings(
  inputs: readonly string[],
  signal: AbortSignal,
  options: ReadOptions = {},
): Promise<InputRecording[]> {
  const files = await readAll(inputs, signal);
  const context = readContext(files);
  const results = files.map((file) => ({ file, result: importFile(file, options, context) }));
  judge(inputs, files, {
    recordings: results.flatMap(({ result }) => result.recordings),
    problems: [...context.problems, ...results.flatMap(({ result }) => result.problems)],
    notes: results.flatMap(({ result }) => result.notes),
  });
  return results.flatMap(({ file, result }) => result.recordings.map((loaded) => ({ file: file.file, loaded })));
}

/** The recordings as one collection: side files apply to all, and the same measurement is taken once. */
export async function readCollection(
  inputs: readonly string[],
  signal: AbortSignal,
  options: ReadOptions = {},
): Promise<readonly LoadedRecording[]> {
  const files = await readAll(inputs, signal);
  const result = importFiles(files, options);
  judge(inputs, files, result);
  return result.recordings;
}
