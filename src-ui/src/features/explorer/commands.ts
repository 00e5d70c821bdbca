/** What can be done with files and folders, for keys, menus and the palette alike. */
import { type Action, action, entryOf, find } from "../../bench/actions";
import type { Bench, Help, MenuEntry } from "../../bench/bench";
import {
  copyEntries,
  deleteEntries,
  downloadFile,
  moveEntries,
  moveInto,
  pairsInto,
} from "./actions";
import { picked } from "./drag";
import type { Explorer } from "./model";
import { nameOf, newNameProblem, parentOf } from "./names";
import type { Row } from "./tree";

const PATHS_NONE = "Choose a file or folder first";

/** `show` brings the explorer in sight, since some of these ask there. */
export function explorerActions(bench: Bench, explorer: Explorer, show: () => void): Action[] {
  const chosen = explorer.chosen();
  const [first] = chosen;
  const none = first ? null : PATHS_NONE;
  const one = none ?? (chosen.length === 1 ? null : "Choose only one");
  const isFile = first !== undefined && explorer.tree.kind(first) === "file";
  const file = one ?? (isFile ? null : "Choose a file");
  const { clip } = explorer.store.getState();
  const make = (kind: "file" | "folder") => () => {
    show();
    explorer.create(kind);
  };
  const upload = (what: "files" | "folder") => () => void pickAndUpload(bench, explorer, what);
  const rename = () => {
    show();
    if (first) explorer.rename(first);
  };
  const copy = () => void bench.host.clipboard.write(chosen.join("\n")).catch(() => undefined);
  return [
    action("file.new", "New file", "file-plus", make("file"), { keys: ["Alt+N"] }),
    action("folder.new", "New folder", "folder-plus", make("folder")),
    action("file.upload", "Upload files", "upload", upload("files")),
    action("folder.upload", "Upload a folder", "upload", upload("folder")),
    action("file.rename", "Rename", "pencil", rename, {
      keys: ["F2"],
      told: true,
      unavailable: one,
    }),
    action("file.cut", "Cut", "copy", () => explorer.clip("cut"), {
      keys: ["Ctrl+X"],
      told: true,
      unavailable: none,
    }),
    action("file.copy", "Copy", "copy", () => explorer.clip("copy"), {
      keys: ["Ctrl+C"],
      told: true,
      unavailable: none,
    }),
    action("file.paste", "Paste here", "download", () => void paste(bench, explorer), {
      keys: ["Ctrl+V"],
      told: true,
      unavailable: clip ? null : "Cut or copy a file or folder first",
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
      () => void explorer.settled().then(() => deleteEntries(bench, explorer.chosen())),
      { keys: ["Delete"], told: true, danger: true, unavailable: none },
    ),
  ];
}

/** Lets the person choose files, or a folder with all that is in it, and uploads them to where new things go. */
export async function pickAndUpload(
  bench: Bench,
  explorer: Explorer,
  what: "files" | "folder",
): Promise<void> {
  const folder = explorer.folder();
  const files = await bench.host.pickFiles({ many: true, folder: what === "folder" });
  if (files.length > 0) await explorer.uploads.start(bench, folder, picked(files));
}

/** Brings what was cut or copied to where new things go. What was copied can be pasted again. */
export async function paste(bench: Bench, explorer: Explorer): Promise<void> {
  const { clip } = explorer.store.getState();
  if (!clip) return;
  const folder = explorer.folder();
  const paths = [...clip.paths].filter(explorer.taken);
  if (clip.how === "copy") {
    await copyEntries(bench, paths, folder);
    return;
  }
  explorer.dropClip();
  await moveInto(bench, paths, folder);
}

async function moveTo(bench: Bench, explorer: Explorer, paths: readonly string[]): Promise<void> {
  await bench.ask({
    title: paths.length === 1 ? `Move ${nameOf(paths[0] ?? "")}` : `Move ${paths.length} items`,
    label: "Folder, empty for the top",
    value: parentOf(paths[0] ?? ""),
    yes: "Move",
    send: (folder) => moveEntries(bench, pairsInto(paths, folder)),
    problem: (value) =>
      value === "" || explorer.tree.kind(value) === "folder"
        ? null
        : newNameProblem(value, "", (path) => explorer.tree.inTheWay(path)),
  });
}

/** The menu of a row, or of the ground below the rows. */
export function menuOf(bench: Bench, row: Row | null): (MenuEntry | null)[] {
  const actions = bench.actions();
  const entry = (id: string) => entryOf(find(actions, id));
  const make = ["file.new", "folder.new", "file.upload", "folder.upload", "file.paste"].map(entry);
  if (!row) return make;
  const open: (MenuEntry | null)[] = [
    { label: "Open", icon: "file-text", keys: "Enter", run: () => bench.open(row.path) },
    {
      label: "Run",
      icon: "play",
      run: () => void bench.startRun({ kind: "file", path: row.path }),
    },
    { label: "History", icon: "history", run: () => bench.enterHistory(row.path) },
    null,
  ];
  const change = ["rename", "cut", "copy", "move", "download", "copyPath"];
  return [
    ...(row.kind === "file" ? open : []),
    ...make,
    null,
    ...change.map((id) => entry(`file.${id}`)),
    null,
    entry("file.delete"),
  ];
}

/** Leads to a file that cannot be synced; one that has no row here is told of instead. */
export function helpWith(bench: Bench, explorer: Explorer, path: string, help: Help): void {
  if (!explorer.taken(path)) {
    const { title, run } = find(bench.actions(), "sync.folder");
    const what = help === "rename" ? "renamed" : "found";
    const text = `${path} is not among the files here, and can be ${what} in the folder itself only.`;
    bench.toast({ text, tone: "warn", action: { label: title, run } });
    return;
  }
  bench.enterSide("explorer");
  explorer.reveal(path);
  if (help === "rename") explorer.rename(path);
}
