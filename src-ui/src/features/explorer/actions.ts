/** What the explorer does to files: each act is one commit, shown at once and taken back when refused. */
import type { Bench } from "../../bench/bench";
import type { Entry } from "../../host/generated/api/Entry";
import type { Operation } from "../../host/generated/api/Operation";
import type { Outcome } from "../../host/generated/api/Outcome";
import { failureOf } from "../../host/ide";
import { join, nameOf, nameProblem, parentOf } from "./names";

async function commit(bench: Bench, operations: Operation[]): Promise<Outcome | null> {
  const answer = await bench.live.calls.commit({
    batch: bench.host.newId(),
    operations,
    atomic: true,
  });
  await bench.live.pullFiles();
  return answer.outcomes.find((one) => one.result === "stale" || one.result === "rejected") ?? null;
}

function refused(bench: Bench, what: string, outcome: Outcome | null): boolean {
  if (!outcome) return false;
  const why =
    outcome.message ??
    (outcome.result === "stale" ? "Something else stands there now." : "It is not allowed.");
  bench.toast({ tone: "danger", text: `${what} ${why}` });
  return true;
}

async function guarded(bench: Bench, what: string, act: () => Promise<boolean>): Promise<boolean> {
  try {
    return await act();
  } catch (error) {
    bench.toast({ tone: "danger", text: `${what} ${failureOf(error).detail}` });
    return false;
  }
}

export function createEntry(bench: Bench, path: string, folder: boolean): Promise<boolean> {
  const what = `“${nameOf(path)}” was not made.`;
  return guarded(bench, what, async () => {
    const operation: Operation = {
      path,
      expect: "absent",
      kind: folder ? "folder" : "file",
      executable: false,
      ...(folder ? {} : { text: "" }),
    };
    if (refused(bench, what, await commit(bench, [operation]))) return false;
    if (!folder) bench.open(path);
    return true;
  });
}

/** Moves files and folders into a folder, or one to a new path. */
export function moveEntries(
  bench: Bench,
  pairs: readonly { from: string; to: string }[],
): Promise<boolean> {
  const real = pairs.filter(({ from, to }) => from !== to && !to.startsWith(`${from}/`));
  if (real.length === 0) return Promise.resolve(false);
  const what = "Nothing was moved.";
  return guarded(bench, what, async () => {
    await bench.saveAll();
    const operations = real.map(({ from, to }): Operation => {
      const entry = bench.live.entries.get(from);
      return { path: to, from, executable: false, ...expectOf(entry) };
    });
    if (refused(bench, what, await commit(bench, operations))) return false;
    for (const { from, to } of real) bench.moved(from, to);
    return true;
  });
}

/** Deletes, and offers to take it back for as long as the toast stays. */
export function deleteEntries(bench: Bench, paths: readonly string[]): Promise<boolean> {
  const tops = paths.filter((path) => !paths.some((other) => path.startsWith(`${other}/`)));
  const what = "Nothing was deleted.";
  return guarded(bench, what, async () => {
    await bench.saveAll();
    await bench.live.pullFiles();
    const before = bench.live.state.head;
    const operations = tops.map((path): Operation => ({ path, executable: false }));
    if (refused(bench, what, await commit(bench, operations))) return false;
    const gone = tops[0] ?? "";
    for (const path of tops) bench.removed(path);
    bench.toast({
      text: tops.length === 1 ? `${nameOf(gone)} was deleted` : `${tops.length} items were deleted`,
      action: {
        label: "Undo",
        run: () =>
          void guarded(bench, "It could not be brought back.", async () => {
            for (const path of tops) await bench.live.calls.restore(before, path);
            await bench.live.pullFiles();
            return true;
          }),
      },
    });
    return true;
  });
}

function expectOf(entry: Entry | undefined): Pick<Operation, "expect"> {
  if (!entry) return {};
  if (entry.kind === "folder") return { expect: "folder" };
  return entry.hash ? { expect: { content: entry.hash } } : {};
}

export interface Dropped {
  path: string;
  file: File;
}

/** All files of a drop, folders walked. */
export async function droppedFiles(items: DataTransferItemList): Promise<Dropped[]> {
  const roots = [...items].map((item) => item.webkitGetAsEntry()).filter((entry) => entry !== null);
  const found: Dropped[] = [];
  const walk = async (entry: FileSystemEntry, path: string): Promise<void> => {
    if (entry.isFile) {
      const file = await new Promise<File>((yes, no) =>
        (entry as FileSystemFileEntry).file(yes, no),
      );
      found.push({ path, file });
      return;
    }
    const reader = (entry as FileSystemDirectoryEntry).createReader();
    for (;;) {
      const part = await new Promise<FileSystemEntry[]>((yes, no) => reader.readEntries(yes, no));
      if (part.length === 0) return;
      for (const child of part) await walk(child, join(path, child.name));
    }
  };
  for (const root of roots) await walk(root, root.name);
  return found;
}

export interface UploadProgress {
  done: number;
  total: number;
  name: string;
}

/** Uploads one by one; a taken name is asked about once for all of them. */
export async function uploadFiles(
  bench: Bench,
  folder: string,
  files: readonly Dropped[],
  progress: (state: UploadProgress | null) => void,
  taken: (path: string) => boolean,
): Promise<void> {
  let answer: "overwrite" | "skip" | "both" | null = null;
  const failed: string[] = [];
  let done = 0;
  for (const { path, file } of files) {
    progress({ done, total: files.length, name: nameOf(path) });
    let to = join(folder, path.normalize("NFC"));
    const problem = path
      .split("/")
      .map(nameProblem)
      .find((one) => one !== null);
    if (problem) {
      failed.push(`${nameOf(path)}: ${problem}`);
      continue;
    }
    let base: "" | "any" = "";
    if (taken(to)) {
      answer ??= await bench.choose({
        title: `“${nameOf(to)}” exists already`,
        text: "What shall happen with this and every further file whose name is taken?",
        choices: [
          { value: "skip", label: "Skip" },
          { value: "both", label: "Keep both" },
          { value: "overwrite", label: "Overwrite", primary: true },
        ],
      });
      if (answer === null) break;
      if (answer === "skip") continue;
      if (answer === "overwrite") base = "any";
      else to = freeBeside(to, taken);
    }
    try {
      const written = await bench.live.calls.write(to, file, base);
      bench.live.wrote(to, written.entry, written.revision);
      done += 1;
    } catch (error) {
      failed.push(`${nameOf(path)}: ${failureOf(error).detail}`);
    }
  }
  progress(null);
  await bench.live.pullFiles();
  if (failed.length > 0)
    bench.toast({
      tone: "danger",
      text: `${failed.length} of ${files.length} were not uploaded. ${failed[0]}`,
    });
  else if (done > 0)
    bench.toast({ tone: "ok", text: done === 1 ? "1 file uploaded" : `${done} files uploaded` });
}

function freeBeside(path: string, taken: (path: string) => boolean): string {
  const name = nameOf(path);
  const dot = name.lastIndexOf(".");
  const [stem, end] = dot > 0 ? [name.slice(0, dot), name.slice(dot)] : [name, ""];
  for (let count = 2; ; count += 1) {
    const candidate = join(parentOf(path), `${stem} (${count})${end}`);
    if (!taken(candidate)) return candidate;
  }
}

export async function downloadFile(bench: Bench, path: string): Promise<void> {
  await guarded(bench, `${nameOf(path)} was not downloaded.`, async () => {
    const { bytes } = await bench.live.calls.read(path);
    bench.host.saveFile(nameOf(path), new Blob([bytes]));
    return true;
  });
}
