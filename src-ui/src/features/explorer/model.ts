/** The explorer's state: the tree, what is focused, selected and on the clipboard. One number tells React that it moved. */
import { createStore } from "zustand/vanilla";
import type { Kept } from "../../host/host";
import type { LiveWorkspace } from "../../host/live";
import { parentOf } from "./names";
import { type Row, Tree } from "./tree";
import { Uploads } from "./upload";

export interface Clip {
  how: "cut" | "copy";
  paths: ReadonlySet<string>;
}

export interface ExplorerState {
  version: number;
  /** The row that has the keyboard; always one that can be seen, or none. */
  focused: string | null;
  selected: ReadonlySet<string>;
  clip: Clip | null;
  /** The row being made or renamed: a path, and what it is for. */
  editing: { at: string; kind: "file" | "folder" | "rename" } | null;
}

export class Explorer {
  readonly tree = new Tree();
  readonly uploads: Uploads;
  readonly store = createStore<ExplorerState>(() => ({
    version: 0,
    focused: null,
    selected: new Set(),
    clip: null,
    editing: null,
  }));
  /** Where a range begins. */
  private anchor: string | null = null;
  /** A name that is being given: what stands at its row is not yet what it is called. */
  private naming: Promise<unknown> = Promise.resolve();
  /** The focused row's last place, for when it goes away. */
  private place = 0;
  private readonly stop: () => void;
  private readonly key: string;

  constructor(
    readonly live: LiveWorkspace,
    private readonly kept: Kept,
  ) {
    this.uploads = new Uploads(live, (path) => this.tree.inTheWay(path));
    this.key = `slipway.tree.${live.calls.workspace}`;
    this.tree.reset(live.entries.values());
    try {
      for (const path of JSON.parse(kept.get(this.key) ?? "[]") as string[])
        this.tree.setOpen(path, true);
    } catch {
      kept.remove(this.key);
    }
    this.stop = live.onChanges((changes) => {
      if (changes === "reset") this.tree.reset(live.entries.values());
      else
        for (const change of changes) {
          if (change.entry) this.tree.put(change.path, change.entry.kind);
          else this.tree.remove(change.path);
        }
      this.moved();
    });
  }

  dispose(): void {
    this.stop();
  }

  rows(): readonly Row[] {
    return this.tree.rows();
  }

  toggle(path: string, open = !this.tree.isOpen(path)): void {
    this.tree.setOpen(path, open);
    this.remember();
    this.moved();
  }

  /** Opens the way to a path and goes there. */
  reveal(path: string): void {
    if (!this.tree.has(path)) return;
    this.tree.reveal(path);
    this.remember();
    this.moved();
    this.select(path, "only");
  }

  select(path: string, how: "only" | "toggle" | "range"): void {
    const rows = this.rows();
    const to = rows.findIndex((row) => row.path === path);
    const selected = new Set(how === "toggle" ? this.store.getState().selected : []);
    if (how === "range") {
      const from = rows.findIndex((row) => row.path === this.anchor);
      const start = from < 0 ? to : from;
      for (const row of rows.slice(Math.min(start, to), Math.max(start, to) + 1))
        selected.add(row.path);
    } else {
      this.anchor = path;
      if (!selected.delete(path)) selected.add(path);
    }
    this.place = Math.max(0, to);
    this.store.setState({ focused: path, selected });
  }

  /** Gives a row the keyboard, and chooses nothing. */
  begin(path: string): void {
    this.anchor = path;
    this.store.setState({ focused: path });
  }

  leave(): void {
    this.store.setState({ focused: null, selected: new Set() });
  }

  selectAll(): void {
    this.store.setState({ selected: new Set(this.rows().map((row) => row.path)) });
  }

  /** The row above in the tree that a row belongs to, as it is shown: folders that are joined are one row. */
  parentRow(path: string): string | null {
    const rows = this.rows();
    const at = rows.findIndex((row) => row.path === path);
    const level = rows[at]?.level ?? 0;
    const above = rows.slice(0, Math.max(0, at)).findLast((row) => row.level < level);
    return above?.path ?? null;
  }

  toParent(): void {
    const { focused } = this.store.getState();
    const parent = focused === null ? null : this.parentRow(focused);
    if (parent !== null) this.select(parent, "only");
  }

  /** What a command works on: the selection, else the focused row. */
  chosen(): string[] {
    const { selected, focused } = this.store.getState();
    const real = [...selected].filter((path) => this.tree.has(path));
    return real.length > 0 ? real : focused && this.tree.has(focused) ? [focused] : [];
  }

  /** The folder where a new entry goes; the top while nothing is chosen. */
  folder(): string {
    const { focused, selected } = this.store.getState();
    if (!focused || selected.size === 0 || !this.tree.has(focused)) return "";
    return this.tree.kind(focused) === "folder" ? focused : parentOf(focused);
  }

  create(kind: "file" | "folder", at = this.folder()): void {
    if (at !== "") {
      this.tree.setOpen(at, true);
      this.tree.reveal(at);
      this.remember();
    }
    this.store.setState({ editing: { at, kind } });
    this.moved();
  }

  rename(path: string): void {
    this.store.setState({ editing: { at: path, kind: "rename" } });
  }

  /** Gives a name; what is to be done to the row meanwhile waits in `settled`. */
  async name(give: () => Promise<void>): Promise<void> {
    const given = give();
    this.naming = given.catch(() => undefined);
    await given;
  }

  /** When every row is called as it will be. */
  async settled(): Promise<void> {
    await this.naming;
  }

  endEdit(): void {
    this.store.setState({ editing: null });
  }

  clip(how: Clip["how"]): void {
    const paths = this.chosen();
    this.store.setState({ clip: paths.length > 0 ? { how, paths: new Set(paths) } : null });
  }

  dropClip(): void {
    this.store.setState({ clip: null });
  }

  taken = (path: string): boolean => this.tree.has(path);

  private remember(): void {
    this.kept.set(this.key, JSON.stringify(this.tree.expanded()));
  }

  /** The rows changed. A focused row that went away leaves the focus where it was: to its folder, or the next row. */
  private moved(): void {
    const { focused, selected, version } = this.store.getState();
    const rows = this.rows();
    const shown = new Set(rows.map((row) => row.path));
    let next = focused;
    if (focused !== null && !shown.has(focused)) {
      const closed = this.tree.has(focused)
        ? ancestors(focused).find((one) => shown.has(one))
        : null;
      next = closed ?? rows[Math.min(this.place, rows.length - 1)]?.path ?? null;
    }
    const left = [...selected].filter((path) => shown.has(path));
    if (next !== focused && next !== null && left.length === 0) left.push(next);
    if (next !== null)
      this.place = Math.max(
        0,
        rows.findIndex((row) => row.path === next),
      );
    if (this.anchor !== null && !shown.has(this.anchor)) this.anchor = next;
    this.store.setState({ version: version + 1, focused: next, selected: new Set(left) });
  }
}

/** Folders above a path, the nearest first. */
function ancestors(path: string): string[] {
  const out: string[] = [];
  for (let at = parentOf(path); at !== ""; at = parentOf(at)) out.push(at);
  return out;
}
