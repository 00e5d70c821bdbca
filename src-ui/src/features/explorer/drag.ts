/** What is dragged over the tree: its own rows, or files and folders from outside. */
import type { Bench } from "../../bench/bench";
import { moveInto } from "./actions";
import { join } from "./names";

const ROWS = "text/slipway-paths";

/** Files on their way in, with their paths below the folder that they go to. */
export interface Incoming {
  files: { path: string; file: File }[];
  /** Folders without anything in them, which no file would make. */
  folders: string[];
  /** What could not be read, with the reason. */
  unread: string[];
}

export function carry(data: DataTransfer, paths: readonly string[]): void {
  data.setData(ROWS, JSON.stringify(paths));
  data.effectAllowed = "move";
}

/** Moves rows, or gives back what comes from outside. */
export async function dropInto(
  bench: Bench,
  data: DataTransfer,
  folder: string,
): Promise<Incoming | null> {
  const rows = data.getData(ROWS);
  if (!rows) return incoming(data.items);
  await moveInto(bench, JSON.parse(rows) as string[], folder);
  return null;
}

/** Files that were picked; those of a picked folder know where they lay in it. */
export function picked(files: readonly File[]): Incoming {
  const list = files.map((file) => ({ path: file.webkitRelativePath || file.name, file }));
  return { files: list, folders: [], unread: [] };
}

/** Everything in a drop, folders walked. One thing that cannot be read does not keep the others out. */
export async function incoming(items: DataTransferItemList): Promise<Incoming> {
  // The list is only there until the first wait.
  const roots = [...items].map((item) => item.webkitGetAsEntry()).filter((entry) => entry !== null);
  const found: Incoming = { files: [], folders: [], unread: [] };
  for (const root of roots) await walk(root, root.name, found);
  return found;
}

async function walk(entry: FileSystemEntry, path: string, found: Incoming): Promise<void> {
  try {
    if (entry.isFile) {
      const file = await new Promise<File>((yes, no) =>
        (entry as FileSystemFileEntry).file(yes, no),
      );
      found.files.push({ path, file });
      return;
    }
    const reader = (entry as FileSystemDirectoryEntry).createReader();
    let count = 0;
    for (;;) {
      const part = await new Promise<FileSystemEntry[]>((yes, no) => reader.readEntries(yes, no));
      if (part.length === 0) break;
      count += part.length;
      for (const child of part) await walk(child, join(path, child.name), found);
    }
    if (count === 0) found.folders.push(path);
  } catch {
    found.unread.push(`${path} could not be read.`);
  }
}
