/** Side files of an Edge Impulse export: `info.labels` (labels, sets) and `structured_labels.labels` (segments). */
import * as v from 'valibot';
import { cleanName, FormatError } from './format-error';

export interface FileLabels {
  /** undefined: nothing said; null: unlabelled. */
  readonly label?: string | null;
  readonly segments?: readonly { readonly label: string; readonly start: number; readonly end: number }[];
  readonly split?: 'auto' | 'train' | 'test';
  readonly name?: string;
  /** The labels are of a kind that cannot be used. */
  readonly unusable?: string;
}

/** File path, as written in the side file, to what it says of it. */
export type LabelBook = ReadonlyMap<string, FileLabels>;

const SEGMENT = v.object({ label: v.string(), startIndex: v.number(), endIndex: v.number() });
const LABEL = v.variant('type', [
  v.object({ type: v.literal('unlabeled') }),
  v.object({ type: v.literal('label'), label: v.string() }),
  v.object({ type: v.literal('multi-label'), labels: v.array(SEGMENT) }),
  v.object({ type: v.literal('keyvalue-labels') }),
]);
const ENTRY = v.object({
  path: v.string(),
  name: v.optional(v.string()),
  category: v.optional(v.string()),
  label: v.optional(LABEL),
});
/** Older exports have no version. */
const INFO = v.object({ version: v.optional(v.literal(1)), files: v.array(v.unknown()) });
const STRUCTURED = v.object({
  version: v.literal(1),
  type: v.literal('structured-labels'),
  structuredLabels: v.record(v.string(), v.array(SEGMENT)),
});

/** Whether a file is such a side file, by its name. */
export function isLabelFile(name: string): boolean {
  return /\.labels$/i.test(name);
}

/** Reads a side file. Throws FormatError. */
export function parseLabelFile(text: string): LabelBook {
  const decoded = decode(text);
  const structured = v.safeParse(STRUCTURED, decoded);
  if (structured.success) {
    return new Map(
      Object.entries(structured.output.structuredLabels).map(([path, labels]) => [
        path,
        { segments: toSegments(labels) },
      ]),
    );
  }
  const info = v.safeParse(INFO, decoded);
  if (!info.success) {
    const type = typeof decoded === 'object' && decoded !== null && 'type' in decoded ? String(decoded.type) : '';
    throw type === 'bounding-box-labels'
      ? new FormatError('unsupported', 'Labels of images (bounding boxes) are not imported.')
      : new FormatError('malformed', 'This file of labels is not structured as version 1 asks.');
  }
  const book = new Map<string, FileLabels>();
  for (const item of info.output.files) {
    const entry = v.safeParse(ENTRY, item);
    if (!entry.success) {
      throw new FormatError('malformed', `An entry of the file of labels is broken: ${entry.issues[0].message}.`);
    }
    const { path, name, category, label } = entry.output;
    book.set(path, {
      ...labelsOf(label),
      ...splitOf(category),
      ...(name === undefined ? {} : { name: cleanName(name) }),
    });
  }
  return book;
}

/** JSON, or for large exports one JSON value per line after a head that may lack its closing brace. */
function decode(text: string): unknown {
  try {
    const [head = '', ...lines] = text.split('\n');
    if (!head.startsWith('{"__ndjson"')) return JSON.parse(text);
    const files: unknown[] = [];
    for (const line of lines) {
      if (line.trim() === '') continue;
      const item = JSON.parse(line) as { __key?: unknown; __item?: unknown } | null;
      if (item?.__key === 'files') files.push(item.__item);
    }
    const decoded = JSON.parse(`${head.replace(/[\s,}]*$/, '')}}`) as object;
    return { ...decoded, files };
  } catch (error) {
    throw new FormatError('malformed', 'The file of labels is broken or cut off.', { cause: error });
  }
}

function toSegments(labels: readonly v.InferOutput<typeof SEGMENT>[]) {
  return labels.map(({ label, startIndex, endIndex }) => ({
    label: cleanName(label),
    start: startIndex,
    end: endIndex,
  }));
}

function labelsOf(label: v.InferOutput<typeof LABEL> | undefined): FileLabels {
  switch (label?.type) {
    case undefined:
      return {};
    case 'unlabeled':
      return { label: null };
    case 'label':
      return { label: cleanName(label.label) || null };
    case 'multi-label':
      return { label: null, segments: toSegments(label.labels) };
    case 'keyvalue-labels':
      return { label: null, unusable: 'Labels made of keys and values are not imported.' };
  }
}

function splitOf(category: string | undefined): Pick<FileLabels, 'split'> {
  switch (category) {
    case 'training':
    case 'validation':
      return { split: 'train' };
    // Kept from training as well: performance measured on it would be too good.
    case 'post-processing':
    case 'testing':
      return { split: 'test' };
    case 'split':
      return { split: 'auto' };
    default:
      return {};
  }
}
