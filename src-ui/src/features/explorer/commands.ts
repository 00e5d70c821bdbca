/** What can be done with files and folders, for keys, menus and the palette alike. */
import { type Action, action } from "../../bench/actions";
import type { Bench } from "../../bench/bench";
import { deleteEntries, downloadFile, moveEntries, uploadFiles } from "./actions";
import type { Explorer } from "./model";
import { join, nameOf, newNameProblem, parentOf } from "./names";

const PATHS_NONE = "Choose a file or folder first";

/** `show` brings the explorer in sight, since some of these ask there. */
export function explorerActions(bench: Bench, explorer: Explorer, show: () => void): Action[] {
  const chosen = explorer.chosen();
  const [first] = chosen;
  const none = first ? null : PATHS_NONE;
  const one = none ?? (chosen.length === 1 ? null : "Choose only one");
  const isFile = first !== undefined && explorer.tree.kind(first) === "file";
  const file = one ?? (isFile ? null : "Choose a file");
  const { cut } = explorer.store.getState();
  const make = (kind: "file" | "folder") => () => {
    show();
    explorer.create(kind);
  };
  const rename = () => {
    show();
    if (first) explorer.rename(first);
  };
  const copy = () => void bench.host.clipboard.write(chosen.join("\n")).catch(() => undefined);
  return [
    action("file.new", "New file", "file-plus", make("file"), { keys: ["Alt+N"] }),
    action("folder.new", "New folder", "folder-plus", make("folder")),
    action("file.upload", "Upload files", "upload", () => void pickAndUpload(bench, explorer)),
    action("file.rename", "Rename", "pencil", rename, {
      keys: ["F2"],
      told: true,
      unavailable: one,
    }),
    action("file.cut", "Cut", "copy", () => explorer.cut(), {
      keys: ["Ctrl+X"],
      told: true,
      unavailable: none,
    }),
    action("file.paste", "Paste here", "download", () => void paste(bench, explorer), {
      keys: ["Ctrl+V"],
      told: true,
      unavailable: cut.size > 0 ? null : "Cut a file or folder first",
    }),
    action("file.move", "Move to…", "folder", () => void moveTo(bench, explorer, chosen), {
      unavailable: none,
    }),
    action(
      "file.download",
      "Download",
      "download",
      () => first && void downloadFile(bench, first),
      {
        unavailable: file,
      },
    ),
    action("file.copyPath", "Copy path", "copy", copy, { unavailable: none }),
    action(
      "file.delete",
      chosen.length > 1 ? `Delete ${chosen.length} items` : "Delete",
      "trash",
      () => void deleteEntries(bench, chosen),
      { keys: ["Delete"], told: true, danger: true, unavailable: none },
    ),
  ];
}

export async function pickAndUpload(bench: Bench, explorer: Explorer): Promise<void> {
  const files = await bench.host.pickFiles({ many: true });
  const dropped = files.map((file) => ({ path: file.name, file }));
  if (dropped.length > 0) await upload(bench, explorer, explorer.folder(), dropped);
}

/** Uploads, and tells the explorer how far it has come. */
export async function upload(
  bench: Bench,
  explorer: Explorer,
  folder: string,
  files: readonly { path: string; file: File }[],
): Promise<void> {
  const tell = (progress: Parameters<Parameters<typeof uploadFiles>[3]>[0]) =>
    explorer.uploads.setState({ progress });
  await uploadFiles(bench, folder, files, tell, explorer.taken);
}

export async function paste(bench: Bench, explorer: Explorer): Promise<void> {
  const folder = explorer.folder();
  const cut = [...explorer.store.getState().cut];
  explorer.store.setState({ cut: new Set() });
  const pairs = cut.map((from) => ({ from, to: join(folder, nameOf(from)) }));
  await moveEntries(bench, pairs);
}

async function moveTo(bench: Bench, explorer: Explorer, paths: readonly string[]): Promise<void> {
  const folder = await bench.ask({
    title: paths.length === 1 ? `Move ${nameOf(paths[0] ?? "")}` : `Move ${paths.length} items`,
    label: "Folder, empty for the top",
    value: parentOf(paths[0] ?? ""),
    yes: "Move",
    problem: (value) =>
      value === "" || explorer.tree.kind(value) === "folder"
        ? null
        : newNameProblem(value, "", () => false),
  });
  if (folder === null) return;
  const pairs = paths.map((from) => ({ from, to: join(folder, nameOf(from)) }));
  await moveEntries(bench, pairs);
}
