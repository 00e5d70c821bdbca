/** The explorer's state: the tree, what is focused, selected and cut. One number tells React that it moved. */
import { createStore } from "zustand/vanilla";
import type { Kept } from "../../host/host";
import type { LiveWorkspace } from "../../host/live";
import type { UploadProgress } from "./actions";
import { parentOf } from "./names";
import { type Row, Tree } from "./tree";

export interface ExplorerState {
  version: number;
  focused: string | null;
  selected: ReadonlySet<string>;
  cut: ReadonlySet<string>;
  /** The row being made or renamed: a path, and what it is for. */
  editing: { at: string; kind: "file" | "folder" | "rename" } | null;
}

export class Explorer {
  readonly tree = new Tree();
  readonly store = createStore<ExplorerState>(() => ({
    version: 0,
    focused: null,
    selected: new Set(),
    cut: new Set(),
    editing: null,
  }));
  /** How far an upload has come; null when there is none. */
  readonly uploads = createStore<{ progress: UploadProgress | null }>(() => ({ progress: null }));
  private readonly stop: () => void;
  private readonly key: string;

  constructor(
    readonly live: LiveWorkspace,
    private readonly kept: Kept,
  ) {
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
      this.bump();
    });
  }

  dispose(): void {
    this.stop();
  }

  bump(): void {
    this.store.setState((state) => ({ version: state.version + 1 }));
  }

  rows(): readonly Row[] {
    return this.tree.rows();
  }

  toggle(path: string, open = !this.tree.isOpen(path)): void {
    this.tree.setOpen(path, open);
    this.kept.set(this.key, JSON.stringify(this.tree.expanded()));
    this.bump();
  }

  reveal(path: string): void {
    this.tree.reveal(path);
    this.store.setState({ focused: path, selected: new Set([path]) });
    this.bump();
  }

  select(path: string, how: "only" | "toggle" | "range"): void {
    const { focused, selected } = this.store.getState();
    if (how === "only") {
      this.store.setState({ focused: path, selected: new Set([path]) });
      return;
    }
    const next = new Set(selected);
    if (how === "toggle") {
      if (next.has(path)) next.delete(path);
      else next.add(path);
      this.store.setState({ focused: path, selected: next });
      return;
    }
    const rows = this.rows();
    const from = rows.findIndex((row) => row.path === focused);
    const to = rows.findIndex((row) => row.path === path);
    for (const row of rows.slice(Math.max(0, Math.min(from, to)), Math.max(from, to) + 1))
      next.add(row.path);
    this.store.setState({ focused: path, selected: next });
  }

  /** What a command works on: the selection, else the focused row. */
  chosen(): string[] {
    const { selected, focused } = this.store.getState();
    const real = [...selected].filter((path) => this.tree.has(path));
    return real.length > 0 ? real : focused && this.tree.has(focused) ? [focused] : [];
  }

  /** The folder where a new entry goes. */
  folder(): string {
    const { focused } = this.store.getState();
    if (!focused || !this.tree.has(focused)) return "";
    return this.tree.kind(focused) === "folder" ? focused : parentOf(focused);
  }

  create(kind: "file" | "folder"): void {
    const at = this.folder();
    if (at !== "") {
      this.tree.setOpen(at, true);
      this.tree.reveal(at);
    }
    this.store.setState((state) => ({ editing: { at, kind }, version: state.version + 1 }));
  }

  rename(path: string): void {
    this.store.setState({ editing: { at: path, kind: "rename" } });
  }

  endEdit(): void {
    this.store.setState({ editing: null });
  }

  cut(): void {
    this.store.setState({ cut: new Set(this.chosen()) });
  }

  taken = (path: string): boolean => this.tree.has(path);
}
