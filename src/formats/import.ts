/** Files of any known kind to recordings. Never throws for what a file holds: it says what is wrong with which file. */
import { contentHash } from '../signal/dataset-hash';
import type { LoadedRecording, Segment, SplitChoice } from '../signal/recording';
import { decodeText, parseCsv } from './csv-import';
import { isAcquisition, parseAcquisitionCbor, parseAcquisitionJson } from './edge-impulse-acquisition';
import { isLabelFile, parseLabelFile, type FileLabels } from './edge-impulse-labels';
import {
  cleanName,
  FormatError,
  MOST_FILE_BYTES,
  type FormatErrorCode,
  type FormatNoteCode,
  type ParsedFile,
  type SignatureState,
} from './format-error';
import { findClassFolders, isNoData, labelFromPath, splitFromPath, splitPath } from './naming';

export interface ImportFile {
  readonly name: string;
  /** Path with folders, as a drop of folders or the command line gives it; default `name`. */
  readonly path?: string;
  readonly bytes: Uint8Array;
}

export interface ImportOptions {
  /** Milliseconds since the epoch, for files that do not say when they were recorded. Default 0. */
  readonly now?: number | undefined;
  readonly sessionId?: string | undefined;
  /** Rate for text files without times, Hz. Default 100, noted as assumed. */
  readonly rateHz?: number | undefined;
  /** Overrides labels from names and folders (not those inside files). */
  readonly label?: string | undefined;
  /** Overrides sets from folders and side files. */
  readonly split?: SplitChoice | undefined;
  /** Text of an Edge Impulse HMAC key, to check signatures with. */
  readonly hmacKey?: string | undefined;
}

export interface ImportProblem {
  readonly fileName: string;
  readonly code: FormatErrorCode;
  /** For people: what is wrong and what can be done. */
  readonly message: string;
}

export interface ImportNote {
  readonly fileName: string;
  readonly code: FormatNoteCode;
  readonly message: string;
}

export interface ImportResult {
  readonly recordings: readonly LoadedRecording[];
  /** Files that could not be imported. */
  readonly problems: readonly ImportProblem[];
  /** What was assumed or left out in files that were imported. */
  readonly notes: readonly ImportNote[];
  /** What each imported file was. */
  readonly files: readonly {
    readonly fileName: string;
    readonly recordingId: string;
    readonly format: ParsedFile['format'];
    readonly signature: SignatureState;
  }[];
}

/** What the files of one import say of each other. */
export interface ImportContext {
  readonly labelsFor: (path: string) => FileLabels | null;
  readonly classFolders: ReadonlySet<string>;
  readonly problems: readonly ImportProblem[];
}

const ALONE: ImportContext = { labelsFor: () => null, classFolders: new Set(), problems: [] };

/** Reads the side files among `files` and finds class folders: what `importFile` needs to treat them as one import. */
export function readContext(files: readonly ImportFile[]): ImportContext {
  const problems: ImportProblem[] = [];
  const books: { readonly folder: string; readonly book: ReadonlyMap<string, FileLabels> }[] = [];
  for (const file of files) {
    if (!isLabelFile(file.name)) continue;
    try {
      books.push({
        folder: splitPath(pathOf(file)).folders.join('/'),
        book: parseLabelFile(decodeText(checkSize(file.bytes))),
      });
    } catch (error) {
      problems.push(problemOf(file, error));
    }
  }
  const labelsFor = (path: string): FileLabels | null => {
    const { folders, file } = splitPath(path);
    for (const { folder, book } of books) {
      const inside = [...folders, file].join('/');
      const relative =
        folder === '' ? inside : inside.startsWith(`${folder}/`) ? inside.slice(folder.length + 1) : null;
      // Dropped files come without their folders; then the name alone must do.
      const found =
        (relative === null ? undefined : book.get(relative)) ?? book.get(file) ?? byName(book, file, folders.length);
      if (found) return found;
    }
    return null;
  };
  return { labelsFor, classFolders: findClassFolders(files.map(pathOf)), problems };
}

function byName(book: ReadonlyMap<string, FileLabels>, file: string, folders: number): FileLabels | undefined {
  if (folders > 0) return undefined;
  const matches = [...book].filter(([path]) => splitPath(path).file === file);
  return matches.length === 1 ? matches[0]![1] : undefined;
}

/** Imports many files as one import: side files apply to the others, and the same measurement is taken only once. */
export function importFiles(files: readonly ImportFile[], options: ImportOptions = {}): ImportResult {
  const context = readContext(files);
  const results = files.filter((file) => !isLabelFile(file.name)).map((file) => importFile(file, options, context));
  const problems = [...context.problems, ...results.flatMap((result) => result.problems)];
  const recordings: LoadedRecording[] = [];
  const first = new Map<string, LoadedRecording>();
  const repeated = new Set<string>();
  for (const loaded of results.flatMap((result) => result.recordings)) {
    const { id, name, source } = loaded.recording;
    const before = first.get(id);
    if (!before) {
      first.set(id, loaded);
      recordings.push(loaded);
      continue;
    }
    const fileName = source.kind === 'file' ? source.fileName : name;
    const original = before.recording.source.kind === 'file' ? before.recording.source.fileName : before.recording.name;
    repeated.add(fileName);
    const labels = before.recording.label === loaded.recording.label ? '' : ', under another label';
    problems.push({
      fileName,
      code: 'duplicate',
      message: `Holds the same samples as ${original}${labels}. Taken once, or the test would know what was trained.`,
    });
  }
  return {
    recordings,
    problems,
    notes: results.flatMap((result) => result.notes).filter((note) => !repeated.has(note.fileName)),
    files: results.flatMap((result) => result.files).filter((file) => !repeated.has(file.fileName)),
  };
}

/**
 * Imports one file. The recording's id is the hash of its samples, so that the same file is always the same recording:
 * on the same side of the split, and not twice in a collection.
 */
export function importFile(
  file: ImportFile,
  options: ImportOptions = {},
  context: ImportContext = ALONE,
): ImportResult {
  const fileName = pathOf(file);
  if (isNoData(fileName)) {
    const note: ImportNote = { fileName, code: 'skipped', message: 'Skipped: not a file of data.' };
    return { recordings: [], problems: [], notes: [note], files: [] };
  }
  try {
    const parsed = parse(file, options);
    const loaded = toRecording(fileName, parsed, options, context);
    const said = context.labelsFor(fileName);
    const notes = [
      ...parsed.notes,
      ...(said?.unusable === undefined ? [] : [{ code: 'labels-ignored' as const, message: said.unusable }]),
    ];
    return {
      recordings: [loaded],
      problems: [],
      notes: notes.map((note) => ({ fileName, ...note })),
      files: [{ fileName, recordingId: loaded.recording.id, format: parsed.format, signature: parsed.signature }],
    };
  } catch (error) {
    return { recordings: [], problems: [problemOf(file, error)], notes: [], files: [] };
  }
}

function pathOf(file: ImportFile): string {
  return file.path ?? file.name;
}

function problemOf(file: ImportFile, error: unknown): ImportProblem {
  // What a parser did not foresee is a broken file too, never a crash of the import.
  const { code, message } =
    error instanceof FormatError
      ? error
      : new FormatError('malformed', 'The file is broken in a way that could not be read.', { cause: error });
  return { fileName: pathOf(file), code, message };
}

function checkSize(bytes: Uint8Array): Uint8Array {
  if (bytes.length === 0) throw new FormatError('empty', 'The file is empty.');
  if (bytes.length > MOST_FILE_BYTES) {
    throw new FormatError(
      'too-large',
      `The file has ${(bytes.length / 2 ** 20).toFixed(0)} MB; up to ${MOST_FILE_BYTES / 2 ** 20} MB are imported. Split it.`,
    );
  }
  return bytes;
}

/** What the first bytes say; the extension is not asked, because it is wrong too often. */
function detect(bytes: Uint8Array): 'json' | 'cbor' | 'text' {
  const starts = (...wanted: number[]) => wanted.every((byte, i) => bytes[i] === byte);
  const unsupported: readonly [boolean, string][] = [
    [starts(0x52, 0x49, 0x46, 0x46), 'Sound files (WAV) are not imported yet.'],
    [
      starts(0x89, 0x50, 0x4e, 0x47) || starts(0xff, 0xd8, 0xff) || starts(0x47, 0x49, 0x46, 0x38),
      'Images are not imported: recordings are CSV, Edge Impulse JSON or CBOR.',
    ],
    [starts(0x50, 0x4b, 0x03, 0x04) || starts(0x1f, 0x8b), 'Unpack the archive and import the files in it.'],
    [
      // "TFL3" behind the offset of the root table.
      [0x54, 0x46, 0x4c, 0x33].every((byte, i) => bytes[4 + i] === byte),
      'This is a TensorFlow Lite model, not a recording. Open it at Deploy, under “Bring your own model”.',
    ],
    [starts(0x25, 0x50, 0x44, 0x46), 'PDF files hold no readings that could be imported.'],
  ];
  const hit = unsupported.find(([is]) => is);
  if (hit) throw new FormatError('unsupported', hit[1]);
  // A CBOR map, or the tag that says "CBOR".
  if ((bytes[0]! >= 0xa0 && bytes[0]! <= 0xbf) || starts(0xd9, 0xd9, 0xf7)) return 'cbor';
  const bom = starts(0xef, 0xbb, 0xbf) ? 3 : 0;
  const first = bytes.subarray(bom).find((byte) => byte > 0x20);
  return first === 0x7b || first === 0x5b ? 'json' : 'text';
}

function parse({ bytes }: ImportFile, { rateHz, hmacKey }: ImportOptions): ParsedFile {
  const format = detect(checkSize(bytes));
  switch (format) {
    case 'cbor':
      return parseAcquisitionCbor(bytes, { hmacKey });
    case 'json': {
      const decoded = decodeJson(bytes);
      if (isAcquisition(decoded)) return parseAcquisitionJson(decoded, bytes, { hmacKey });
      throw new FormatError('unsupported', 'JSON is imported only as Edge Impulse data acquisition objects.');
    }
    case 'text':
      return parseCsv(bytes, { rateHz });
  }
}

function decodeJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(decodeText(bytes).replace(/^\uFEFF/, ''));
  } catch (error) {
    throw new FormatError('malformed', 'The JSON text is broken or cut off.', { cause: error });
  }
}

function toRecording(
  path: string,
  parsed: ParsedFile,
  options: ImportOptions,
  context: ImportContext,
): LoadedRecording {
  const { channels, rateHz, samples } = parsed;
  const frames = samples.length / channels.length;
  const said = context.labelsFor(path);
  const segments = fitSegments(said?.segments ?? parsed.segments, frames);
  const label =
    segments.length > 0
      ? null
      : said?.label !== undefined
        ? said.label
        : parsed.label !== undefined
          ? parsed.label
          : options.label !== undefined
            ? cleanName(options.label) || null
            : labelFromPath(path, context.classFolders);
  const { file } = splitPath(path);
  return {
    recording: {
      id: `file-${contentHash(channels.length, rateHz, samples).slice(0, 32)}`,
      name: said?.name || cleanName(file.replace(/\.[^.]{1,8}$/, '')) || 'recording',
      createdAt: parsed.createdAt ?? options.now ?? 0,
      sessionId: options.sessionId ?? 'import',
      channels,
      rateHz,
      measuredRateHz: parsed.measuredRateHz,
      frames,
      label,
      segments,
      split: options.split ?? said?.split ?? splitFromPath(path),
      source: { kind: 'file', fileName: path, format: parsed.format },
      quality: parsed.quality,
    },
    samples,
  };
}

/** Segments in order, cut to the recording, without overlap; what does not fit at all is dropped. */
function fitSegments(segments: readonly Segment[], frames: number): Segment[] {
  const fitted: Segment[] = [];
  let free = 0;
  for (const { label, start, end } of [...segments].sort((a, b) => a.start - b.start)) {
    const from = Math.max(free, Math.ceil(start));
    const to = Math.min(frames - 1, Math.floor(end));
    if (label === '' || !(from <= to)) continue;
    fitted.push({ label, start: from, end: to });
    free = to + 1;
  }
  return fitted;
}
