/** Files and folders of a drop or of a file picker, with their paths. */
import type { ImportFile } from '../../services';

/** A folder tree beyond this is a mistake (a home folder, a disk). */
const MOST_FILES = 20_000;

export function pickedFiles(list: FileList): ImportFile[] {
  return Array.from(list, (file) => ({ path: file.webkitRelativePath || file.name, file }));
}

/** Must be called inside the drop event: afterwards the list of items is empty. */
export async function droppedFiles(data: DataTransfer): Promise<ImportFile[]> {
  const entries = Array.from(data.items, (item) => (item.kind === 'file' ? item.webkitGetAsEntry() : null));
  const plain = Array.from(data.files, (file) => ({ path: file.name, file }));
  const found: ImportFile[] = [];
  for (const entry of entries) if (entry) await collect(entry, '', found);
  return found.length > 0 ? found : plain;
}

// Browsers tell the kinds apart by these flags; the classes are not global names in Chromium.
const isFile = (entry: FileSystemEntry): entry is FileSystemFileEntry => entry.isFile;
const isFolder = (entry: FileSystemEntry): entry is FileSystemDirectoryEntry => entry.isDirectory;

async function collect(entry: FileSystemEntry, folder: string, into: ImportFile[]): Promise<void> {
  if (into.length >= MOST_FILES) return;
  const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
  if (isFile(entry)) {
    into.push({ path, file: await new Promise<File>((resolve, reject) => entry.file(resolve, reject)) });
  } else if (isFolder(entry)) {
    const reader = entry.createReader();
    // readEntries gives at most 100 at a time, and an empty list at the end.
    for (;;) {
      const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
      if (some.length === 0) return;
      for (const child of some) await collect(child, path, into);
    }
  }
}
