/** Labels and sets told by where a file lies and what it is called. */
import { cleanName } from './format-error';

/** Folders that say how files are kept, not what they show. */
const STRUCTURE =
  /^(?:train(?:ing)?|test(?:ing)?|valid(?:ation)?|csv|json|cbor|txt|raw|data|datasets?|samples?|files|recordings?|exports?|output|input|downloads?|desktop|documents|tmp|\.+)$/i;
/** Names that cameras, loggers and people give to the n-th file of anything. */
const ANY_FILE =
  /^(?:[\d\s_.:T+-]*|[0-9a-f]{8,}|[0-9a-f]{8}-[0-9a-f-]{27}|(?:rec|recording|sample|data|file|log|capture|measurement|session|trial|take|test|train|untitled|new)[\s_-]*[\d\s_.:T-]*)$/i;

/** The folders of a path, outermost first, and the file's name. */
export function splitPath(path: string): { readonly folders: readonly string[]; readonly file: string } {
  const parts = path.split(/[/\\]+/).filter((part) => part !== '');
  return { folders: parts.slice(0, -1), file: parts.at(-1) ?? '' };
}

function lastFolder(folders: readonly string[]): string | null {
  const folder = folders.at(-1);
  return folder === undefined || STRUCTURE.test(folder) ? null : folder;
}

/**
 * Among the files of one import: the folders that stand for classes. Such folders have a brother: at least two folders
 * with files in one parent folder (or at the top), and none of them is named after how data is kept.
 */
export function findClassFolders(paths: readonly string[]): ReadonlySet<string> {
  const brothers = new Map<string, Set<string>>();
  for (const path of paths) {
    const { folders } = splitPath(path);
    if (lastFolder(folders) === null) continue;
    const parent = folders.slice(0, -1).join('/');
    brothers.set(parent, (brothers.get(parent) ?? new Set()).add(folders.join('/')));
  }
  return new Set([...brothers.values()].filter((set) => set.size > 1).flatMap((set) => [...set]));
}

/**
 * The label that a path gives, or null.
 *
 * `wave.01.csv`: the text before the first dot, as in Edge Impulse's exports. `01.csv` or `recording-3.csv` says nothing,
 * so the folder does. `anything.csv` in one of several class folders: the folder. Else the name up to the dot.
 */
export function labelFromPath(path: string, classFolders: ReadonlySet<string> = new Set()): string | null {
  const { folders, file } = splitPath(path);
  const folder = lastFolder(folders);
  // A name that begins with a dot has no text before it.
  const stem = cleanName(file.split('.', 1)[0]!);
  const dotted = /^[^.]+\.[^.]+\..+$/.test(file);
  if (folder !== null) {
    const inClassFolder = classFolders.has(folders.join('/'));
    if (ANY_FILE.test(stem) || (inClassFolder && !dotted)) return cleanName(folder) || null;
  }
  return stem || null;
}

/** The set that a path gives: the innermost folder that is called after one. */
export function splitFromPath(path: string): 'auto' | 'train' | 'test' {
  for (const folder of [...splitPath(path).folders].reverse()) {
    if (/^(?:train(?:ing)?|valid(?:ation)?)$/i.test(folder)) return 'train';
    if (/^test(?:ing)?$/i.test(folder)) return 'test';
  }
  return 'auto';
}

/** A file that comes with data but is none. */
export function isNoData(path: string): boolean {
  return /^(?:\..*|(?:readme|licen[cs]e|copying|authors|notice|changelog)(?:\..*)?|.*\.md|thumbs\.db|desktop\.ini)$/i.test(
    splitPath(path).file,
  );
}
