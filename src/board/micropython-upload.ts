/**
 * Bringing the files of a model onto a MicroPython board as one transaction. Where the port has folders, everything is
 * written into a folder of its own, read back, proved there by the board, and takes its place in one step; a cut at any
 * moment leaves the former files or the new ones. Where it has none (micro:bit), files are written one by one.
 */
import { REMOVE_ENDING, STAGE_FOLDER, SWITCH_FOLDER, SWITCH_PYTHON } from '../emit/micropython/switch-python';
import type { MicroPythonAccess } from './board';
import { MicroPythonError, type FilesLeft } from './micropython-error';
import { BACKUP_FILE, MAIN_FILE, quote, type FileProgress } from './micropython-files';

/** Tables of the file system grow with new files: so many blocks are left free. */
const SPARE_BLOCKS = 4;
/** The micro:bit stores files in chunks that hold so many bytes. */
const MICROBIT_BLOCK = 126;
/** Moving files is a matter of milliseconds, erasing flash on the way of tenths of a second. */
const SWITCH_TIMEOUT_MS = 20_000;
const CLEANUP_TIMEOUT_MS = 10_000;

export interface UploadFile {
  readonly name: string;
  readonly content: Uint8Array;
}

export interface Upload {
  readonly required: readonly UploadFile[];
  readonly main: {
    readonly content: Uint8Array;
    /** Whether a person agreed that a main.py of theirs is replaced; a copy is kept. */
    readonly replace: boolean;
    /** Tells files that were generated, which nobody will miss. */
    readonly isOurs: (content: Uint8Array) => boolean;
  } | null;
  /** Written only when the board has no file of this name. */
  readonly absent: readonly UploadFile[];
  /** Written as far as there is room, in this order. */
  readonly extras: readonly UploadFile[];
}

export interface UploadOptions {
  readonly signal?: AbortSignal | undefined;
  /** `done` of `total`: bytes on the wire of all files. */
  readonly onProgress?: (progress: FileProgress) => void;
  /** Runs when the required files can be imported, before anything of the former files is touched where possible. */
  readonly prove?: () => Promise<boolean>;
}

/**
 * `written`: read back equal. `kept`: the board's own file of this name stays. `left-out`: no room. `removed`: of the
 * former model, and no room for the new one. `backup`: the former main.py.
 */
export type FileFate = 'written' | 'kept' | 'left-out' | 'removed' | 'backup';

export interface UploadedFile {
  readonly name: string;
  readonly bytes: number;
  readonly fate: FileFate;
}

/** What an interrupted upload had left: nothing, a switch that is finished now, or files that did not count yet. */
export type Recovered = 'clean' | 'finished' | 'discarded';

export interface UploadReport {
  readonly files: readonly UploadedFile[];
  /** All files changed in one step, or one after the other. */
  readonly atOnce: boolean;
  readonly recovered: Recovered;
  /** Bytes that were free before, or null where the board cannot tell. */
  readonly free: number | null;
}

const DISCARD = [
  'import os',
  'try:',
  ' f.close()',
  'except Exception:',
  ' pass',
  'try:',
  ` for n in os.listdir('${STAGE_FOLDER}'):`,
  `  os.remove('${STAGE_FOLDER}/' + n)`,
  ` os.rmdir('${STAGE_FOLDER}')`,
  'except OSError:',
  ' pass',
].join('\n');

const RECOVER = [
  'import os',
  "said = 'clean'",
  `if '${SWITCH_FOLDER}' in os.listdir():`,
  ...SWITCH_PYTHON.map((line) => ` ${line}`),
  " said = 'finished'",
  `if '${STAGE_FOLDER}' in os.listdir():`,
  ...DISCARD.split('\n').map((line) => ` ${line}`),
  " if said == 'clean': said = 'discarded'",
  'print(said)',
].join('\n');

const SWITCH = [
  'import os',
  `os.rename('${STAGE_FOLDER}', '${SWITCH_FOLDER}')`,
  ...SWITCH_PYTHON,
  "print('switched')",
].join('\n');

/** Copies a file and compares the copy. */
const copy = (from: string, to: string): string =>
  [
    `s = open(${quote(from)}, 'rb')`,
    `d = open(${quote(to)}, 'wb')`,
    'while 1:',
    ' x = s.read(256)',
    ' if not x: break',
    ' d.write(x)',
    's.close()',
    'd.close()',
    `s = open(${quote(from)}, 'rb')`,
    `d = open(${quote(to)}, 'rb')`,
    'same = 1',
    'while same:',
    ' x = s.read(256)',
    ' if x != d.read(256): same = 0',
    ' if not x: break',
    's.close()',
    'd.close()',
    'print(same)',
  ].join('\n');

/** Finishes or discards what an interrupted upload left. Ports without folders have nothing to finish. */
export async function recoverUpload({ files, run }: MicroPythonAccess, signal?: AbortSignal): Promise<Recovered> {
  if (!files.port.folders) return 'clean';
  const said = (await run(RECOVER, { signal, timeoutMs: SWITCH_TIMEOUT_MS })).trim();
  if (said === 'clean' || said === 'finished' || said === 'discarded') return said;
  throw new MicroPythonError('protocol', 'The board did not say what is on it.');
}

/** The id of the model in the board's model.py, eight hexadecimal digits; null without such a file. */
export async function modelOnBoard({ run }: MicroPythonAccess, signal?: AbortSignal): Promise<string | null> {
  // Files of the micro:bit cannot be iterated.
  const program = `try:\n f = open('model.py')\n while 1:\n  l = f.readline()\n  if l[:8] == 'MODEL_ID': print(l)\n  if not l or l[:8] == 'MODEL_ID': break\n f.close()\nexcept OSError:\n pass`;
  return /^MODEL_ID = '([0-9a-f]{8})'/.exec(await run(program, { signal }))?.[1] ?? null;
}

interface Plan {
  readonly required: readonly UploadFile[];
  readonly absent: readonly UploadFile[];
  readonly main: Uint8Array | null;
  /** A person's main.py that is to be copied first. */
  readonly backup: Uint8Array | null;
  readonly extras: readonly UploadFile[];
  readonly leftOut: readonly UploadFile[];
  /** Left out, but the board has one of the former model. */
  readonly stale: readonly UploadFile[];
  readonly kept: readonly UploadedFile[];
  readonly free: number | null;
}

/**
 * Writes, reads back, lets the board prove itself, switches. Throws MicroPythonError; its `filesLeft` says what is on
 * the board afterwards. `main-exists` and `no-space` come before anything is written.
 */
export async function uploadFiles(
  access: MicroPythonAccess,
  upload: Upload,
  options: UploadOptions = {},
): Promise<UploadReport> {
  let left: FilesLeft = 'former';
  try {
    await access.clear(options.signal);
    const recovered = await recoverUpload(access, options.signal);
    const plan = await planUpload(access, upload, options.signal);
    const progress = trackProgress(access, plan, options);
    const files = access.files.port.folders
      ? await uploadAtOnce(access, plan, options, progress, () => (left = 'either'))
      : await uploadOneByOne(access, plan, options, progress, () => (left = 'mixed'));
    return { files: [...files, ...plan.kept], atOnce: access.files.port.folders, recovered, free: plan.free };
  } catch (error) {
    const known = error instanceof MicroPythonError;
    throw new MicroPythonError(
      known ? error.code : 'disconnected',
      known ? error.message : 'The connection to the board broke off.',
      { cause: error, traceback: known ? error.traceback : '', filesLeft: left },
    );
  }
}

async function planUpload(access: MicroPythonAccess, upload: Upload, signal?: AbortSignal): Promise<Plan> {
  const { files } = access;
  const there = new Map((await files.list(signal)).map(({ name, bytes }) => [name, bytes]));
  let main = upload.main?.content ?? null;
  let backup: Uint8Array | null = null;
  const kept: UploadedFile[] = [];
  if (upload.main && there.has(MAIN_FILE)) {
    const old = await files.read(MAIN_FILE, { signal });
    if (equal(old, upload.main.content)) {
      main = null;
      kept.push({ name: MAIN_FILE, bytes: old.length, fate: 'written' });
    } else if (!upload.main.isOurs(old)) {
      if (!upload.main.replace) {
        throw new MicroPythonError(
          'main-exists',
          'The board has a main.py of its own. Agree to replace it (a copy is kept), or write the model alone.',
        );
      }
      // The older copy is the original.
      if (!there.has(BACKUP_FILE)) backup = old;
    }
  }
  const absent = upload.absent.filter(({ name }) => !there.has(name));
  for (const { name } of upload.absent) {
    const bytes = there.get(name);
    if (bytes !== undefined) kept.push({ name, bytes, fate: 'kept' });
  }

  const must = [
    ...upload.required.map(({ name, content }) => ({ name, bytes: content.length })),
    ...absent.map(({ name, content }) => ({ name, bytes: content.length })),
    ...(main ? [{ name: MAIN_FILE, bytes: main.length }] : []),
    ...(backup ? [{ name: BACKUP_FILE, bytes: backup.length }] : []),
  ];
  const space = await files.freeSpace(signal);
  const block = space?.block ?? MICROBIT_BLOCK;
  const whole = (bytes: number): number => Math.ceil(bytes / block) * block;
  // Files that are overwritten in place give their room to the new ones.
  const net = ({ name, bytes }: { name: string; bytes: number }): number =>
    whole(bytes) - (files.port.folders ? 0 : whole(there.get(name) ?? 0));
  const needed = must.reduce((sum, file) => sum + net(file), 0) + (space ? SPARE_BLOCKS * block : 0);
  let room: number;
  if (space) room = space.free;
  else if (files.port.folders) room = Infinity;
  else {
    // Its flash wears: no more is tried than what all files need.
    const extra = upload.extras.reduce((sum, { name, content }) => sum + net({ name, bytes: content.length }), 0);
    room = await files.trySpace(Math.max(0, needed + Math.max(0, extra)), signal);
  }
  if (needed > room) {
    throw new MicroPythonError(
      'no-space',
      `The files need ${needed} bytes on the board, and ${room} bytes are free. Nothing was changed. Delete files ` +
        'that you do not need, or choose a smaller model.',
    );
  }
  let spent = needed;
  const fits = ({ name, content }: UploadFile): boolean => {
    const more = net({ name, bytes: content.length });
    if (spent + more > room) return false;
    spent += more;
    return true;
  };
  const extras = upload.extras.filter(fits);
  const leftOut = upload.extras.filter((file) => !extras.includes(file));
  return {
    required: upload.required,
    absent,
    main,
    backup,
    extras,
    leftOut,
    stale: leftOut.filter(({ name }) => there.has(name)),
    kept,
    free: Number.isFinite(room) ? room : null,
  };
}

type Progress = (file: UploadFile, path: string) => (progress: FileProgress) => void;

/** Progress of single files as progress of all of them. */
function trackProgress({ files }: MicroPythonAccess, plan: Plan, { onProgress }: UploadOptions): Progress {
  const folder = files.port.folders ? `${STAGE_FOLDER}/` : '';
  const all = [
    ...plan.required,
    ...plan.absent,
    ...(plan.main ? [{ name: MAIN_FILE, content: plan.main }] : []),
    ...(plan.backup && !files.port.folders ? [{ name: BACKUP_FILE, content: plan.backup }] : []),
    ...plan.extras,
  ];
  const total = all.reduce((sum, { name, content }) => sum + files.storeBytes(folder + name, content), 0);
  let before = 0;
  return (file, path) => {
    const start = before;
    before += files.storeBytes(path, file.content);
    return (progress) => onProgress?.({ ...progress, done: start + progress.done, total });
  };
}

async function uploadAtOnce(
  access: MicroPythonAccess,
  plan: Plan,
  options: UploadOptions,
  progress: Progress,
  onSwitch: () => void,
): Promise<UploadedFile[]> {
  const { files, run } = access;
  const { signal } = options;
  const done: UploadedFile[] = [];
  const store = async (file: UploadFile): Promise<void> => {
    const path = `${STAGE_FOLDER}/${file.name}`;
    await files.store(path, file.content, { signal, onProgress: progress(file, path) });
    done.push({ name: file.name, bytes: file.content.length, fate: 'written' });
  };
  try {
    await run(`import os\nos.mkdir('${STAGE_FOLDER}')`, { signal });
    for (const file of plan.required) await store(file);
    if (options.prove) await proveInside(access, options.prove, signal);
    for (const file of plan.absent) await store(file);
    if (plan.backup) {
      const same = await run(copy(MAIN_FILE, `${STAGE_FOLDER}/${BACKUP_FILE}`), { signal });
      if (same.trim() !== '1') {
        throw new MicroPythonError('verify-mismatch', 'The copy of your main.py is not equal to it. Try again.');
      }
      done.push({ name: BACKUP_FILE, bytes: plan.backup.length, fate: 'backup' });
    }
    if (plan.main) await store({ name: MAIN_FILE, content: plan.main });
    for (const file of plan.extras) await store(file);
    for (const { name } of plan.stale) {
      await run(`open('${STAGE_FOLDER}/${name}${REMOVE_ENDING}', 'wb').close()`, { signal });
    }
  } catch (error) {
    await run(DISCARD, { timeoutMs: CLEANUP_TIMEOUT_MS }).catch(() => undefined);
    throw error;
  }
  onSwitch();
  // Not to be cancelled: once begun it is done.
  await run(SWITCH, { timeoutMs: SWITCH_TIMEOUT_MS });
  return [...done, ...leftOut(plan)];
}

/** The new files as the working directory, so that they are imported and opened and not the former ones. */
async function proveInside(access: MicroPythonAccess, prove: () => Promise<boolean>, signal?: AbortSignal) {
  const { files, run } = access;
  await run(`import os\nos.chdir('${STAGE_FOLDER}')`, { signal });
  try {
    await proveOrThrow(prove);
  } finally {
    await run(`import os\nos.chdir(${quote(files.port.home)})`, { timeoutMs: CLEANUP_TIMEOUT_MS });
  }
}

async function proveOrThrow(prove: () => Promise<boolean>): Promise<void> {
  if (await prove()) return;
  throw new MicroPythonError('self-test', 'The board does not compute the bytes that the studio computes.');
}

async function uploadOneByOne(
  { files }: MicroPythonAccess,
  plan: Plan,
  options: UploadOptions,
  progress: Progress,
  onWrite: () => void,
): Promise<UploadedFile[]> {
  const { signal } = options;
  const done: UploadedFile[] = [];
  const store = async (file: UploadFile, fate: FileFate = 'written'): Promise<void> => {
    await files.store(file.name, file.content, { signal, onProgress: progress(file, file.name) });
    done.push({ name: file.name, bytes: file.content.length, fate });
  };
  if (plan.backup) await store({ name: BACKUP_FILE, content: plan.backup }, 'backup');
  onWrite();
  for (const file of plan.required) await store(file);
  if (options.prove) await proveOrThrow(options.prove);
  for (const file of plan.absent) await store(file);
  if (plan.main) await store({ name: MAIN_FILE, content: plan.main });
  for (const file of plan.extras) await store(file);
  for (const { name } of plan.stale) await files.remove(name, signal);
  return [...done, ...leftOut(plan)];
}

function leftOut(plan: Plan): UploadedFile[] {
  return plan.leftOut.map((file) => ({
    name: file.name,
    bytes: file.content.length,
    fate: plan.stale.includes(file) ? 'removed' : 'left-out',
  }));
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
