/** What the command box offers for what was typed: files, commands, a line, or what it understands. */
import { type Action, capsOf } from "../bench/actions";
import type { Badge } from "../bench/bench";
import { fileIcon } from "../ui/fileIcon";
import { size } from "../ui/words";
import { type Fit, fitPath, fitText } from "./fuzzy";

export interface Choice {
  id: string;
  icon: string;
  label: string;
  /** Letters of the label that fit: [from, to). */
  marks: Fit["marks"];
  /** Beside the label: the folder, or why not. */
  detail: string;
  detailMarks: Fit["marks"];
  /** At the right edge. */
  note: string;
  warns: boolean;
  caps: readonly string[];
  disabled: boolean;
  run: () => void;
}

export interface Group {
  title: string;
  choices: readonly Choice[];
}

export interface Offer {
  groups: readonly Group[];
  /** "9 of 214 files". */
  count: string;
  /** When nothing is offered. */
  nothing: string;
}

export interface Offered {
  files: Iterable<{ path: string; size: number }>;
  recent: readonly string[];
  badges: ReadonlyMap<string, Badge>;
  actions: readonly Action[];
  line: { file: string; go: (line: number) => void } | null;
  open: (path: string) => void;
  /** Starts the box anew with a text. */
  ask: (text: string) => void;
}

const FILES_MAX = 50;
const FILES_BESIDE_COMMANDS_MAX = 12;
const COMMANDS_BESIDE_FILES_MAX = 6;

export const PREFIXES = [
  [">", "commands"],
  [":", "line"],
  ["?", "help"],
] as const;

export function offer(text: string, from: Offered): Offer {
  const rest = text.slice(1).trim();
  if (text.startsWith(">")) return commandsOnly(rest, from);
  if (text.startsWith(":")) return line(rest, from);
  if (text.startsWith("?")) return help(from);
  return everything(text.trim(), from);
}

function everything(wanted: string, from: Offered): Offer {
  const { found, total } = files(wanted, from);
  const commands = wanted === "" ? [] : commandsFor(wanted, from.actions);
  const most = commands.length > 0 ? FILES_BESIDE_COMMANDS_MAX : FILES_MAX;
  const groups: Group[] = [
    { title: wanted === "" ? "Recent files" : "Files", choices: found.slice(0, most) },
    { title: "Commands", choices: commands.slice(0, COMMANDS_BESIDE_FILES_MAX) },
  ];
  const count = wanted === "" ? `${total} files` : `${found.length} of ${total} files`;
  return { groups: groups.filter(full), count, nothing: "No file and no command fits." };
}

function commandsOnly(wanted: string, { actions }: Offered): Offer {
  const found = commandsFor(wanted, actions);
  const count = wanted === "" ? `${found.length} commands` : `${found.length} found`;
  const groups = [{ title: "Commands", choices: found }].filter(full);
  return { groups, count, nothing: "No command fits." };
}

function line(wanted: string, { line }: Offered): Offer {
  const number = Number.parseInt(wanted, 10);
  const nothing = line ? "Type the number of a line." : "No text is open.";
  if (!line || !Number.isFinite(number) || number < 1) return { groups: [], count: "", nothing };
  const label = `Go to line ${number}`;
  const run = () => line.go(number);
  const choice = plain("line", "corner-down-right", label, line.file, run);
  return { groups: [{ title: "Line", choices: [choice] }], count: "", nothing };
}

function help({ ask }: Offered): Offer {
  const choices = [
    plain("files", "file", "Type a name to find files and commands", "", () => ask("")),
    plain("commands", "command", "> finds commands only", "", () => ask(">")),
    plain("line", "corner-down-right", ": goes to a line of the open file", "", () => ask(":")),
  ];
  return { groups: [{ title: "What this box understands", choices }], count: "", nothing: "" };
}

function full(group: Group): boolean {
  return group.choices.length > 0;
}

interface Found {
  path: string;
  size: number;
  fit: Fit;
  /** 0 for the file opened last; beyond all of them for others. */
  recency: number;
}

function files(wanted: string, from: Offered): { found: readonly Choice[]; total: number } {
  const recency = new Map(from.recent.map((path, index) => [path, index]));
  const found: Found[] = [];
  let total = 0;
  for (const file of from.files) {
    total += 1;
    const { path } = file;
    const fit = fitPath(path, wanted);
    const place = recency.get(path) ?? from.recent.length;
    if (fit) found.push({ path, size: file.size, fit, recency: place });
  }
  found.sort(
    (a, b) =>
      b.fit.score - a.fit.score ||
      a.recency - b.recency ||
      a.path.length - b.path.length ||
      a.path.localeCompare(b.path),
  );
  return { found: found.map((one) => fileChoice(one, from)), total };
}

function fileChoice(found: Found, from: Offered): Choice {
  const { path, recency } = found;
  const { marks } = found.fit;
  const slash = path.lastIndexOf("/") + 1;
  const badge = from.badges.get(path);
  const note = badge ?? (recency < from.recent.length ? "opened before" : size(found.size));
  const choice = plain(
    path,
    fileIcon(path.slice(slash)),
    path.slice(slash),
    path.slice(0, Math.max(0, slash - 1)),
    () => from.open(path),
  );
  return {
    ...choice,
    marks: part(marks, slash, path.length),
    detailMarks: part(marks, 0, slash - 1),
    note,
    warns: badge === "conflict" || badge === "failed",
  };
}

/** The marks within a part of the text, counted from its start. */
function part(marks: Fit["marks"], from: number, to: number): Fit["marks"] {
  return marks
    .map(([a, b]) => [Math.max(a, from) - from, Math.min(b, to) - from] as const)
    .filter(([a, b]) => b > a);
}

function commandsFor(wanted: string, actions: readonly Action[]): Choice[] {
  return actions
    .filter((one) => one.id !== "find.command")
    .flatMap((one) => {
      const fits = fitText(one.title, wanted);
      return fits ? [{ one, fits }] : [];
    })
    .sort((a, b) => b.fits.score - a.fits.score)
    .map(({ one, fits }) => ({
      ...plain(one.id, one.icon, one.title, one.unavailable ?? "", one.run),
      marks: fits.marks,
      caps: one.keys[0] ? capsOf(one.keys[0]) : [],
      disabled: one.unavailable !== null,
    }));
}

function plain(id: string, icon: string, label: string, detail: string, run: () => void): Choice {
  const bare = { marks: [], detailMarks: [], note: "", warns: false, caps: [], disabled: false };
  return { ...bare, id, icon, label, detail, run };
}
