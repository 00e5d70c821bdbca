/** The open tabs of a workspace, kept over a reload with where each was read, and the files opened lately. */
import { createStore } from "zustand/vanilla";
import type { Kept } from "../../host/host";

export interface OpenTab {
  path: string;
  /** Shown in passing: the next preview takes its place. */
  preview: boolean;
}

export interface TabsState {
  tabs: readonly OpenTab[];
  active: string | null;
  /** Newest first. */
  recent: readonly string[];
}

const RECENT_MAX = 8;

export class OpenTabs<View> {
  readonly store = createStore<TabsState>(() => ({ tabs: [], active: null, recent: [] }));
  private readonly views = new Map<string, View>();
  private readonly key: string;

  constructor(
    private readonly kept: Kept,
    workspace: string,
  ) {
    this.key = `slipway.tabs.${workspace}`;
    this.restore();
  }

  get active(): string | null {
    return this.store.getState().active;
  }

  has(path: string): boolean {
    return this.store.getState().tabs.some((tab) => tab.path === path);
  }

  /** Shows a tab; the path of a preview that it replaces, if any. */
  open(path: string, preview: boolean): string | null {
    const { tabs, active, recent } = this.store.getState();
    const known = tabs.find((tab) => tab.path === path);
    const passing = preview && !known ? tabs.find((tab) => tab.preview) : undefined;
    let next = tabs;
    if (known) {
      if (!preview) next = tabs.map((tab) => (tab === known ? { path, preview: false } : tab));
    } else if (passing) next = tabs.map((tab) => (tab === passing ? { path, preview } : tab));
    else {
      const at = tabs.findIndex((tab) => tab.path === active);
      next = tabs.toSpliced(at < 0 ? tabs.length : at + 1, 0, { path, preview });
    }
    const lately = [path, ...recent.filter((one) => one !== path)].slice(0, RECENT_MAX);
    this.become({ tabs: next, active: path, recent: lately });
    return passing?.path ?? null;
  }

  /** Adds tabs behind the others without showing them. */
  bring(paths: readonly string[]): void {
    const fresh = paths.filter((path) => !this.has(path));
    if (fresh.length === 0) return;
    const tabs = fresh.map((path) => ({ path, preview: false }));
    this.become({ tabs: [...this.store.getState().tabs, ...tabs] });
  }

  pin(path: string): void {
    const { tabs } = this.store.getState();
    if (!tabs.some((tab) => tab.path === path && tab.preview)) return;
    this.become({ tabs: tabs.map((tab) => (tab.path === path ? { path, preview: false } : tab)) });
  }

  /** Takes a tab away; its right neighbour is shown next, or the left one. */
  close(path: string): void {
    const { tabs, active } = this.store.getState();
    const at = tabs.findIndex((tab) => tab.path === path);
    if (at < 0) return;
    const rest = tabs.toSpliced(at, 1);
    const next = active === path ? ((rest[at] ?? rest[at - 1])?.path ?? null) : active;
    this.views.delete(path);
    this.become({ tabs: rest, active: next });
  }

  /** The tab so many places further, around the end. */
  step(by: number): string | null {
    const { tabs, active } = this.store.getState();
    const at = tabs.findIndex((tab) => tab.path === active);
    return tabs[(at + by + tabs.length) % Math.max(1, tabs.length)]?.path ?? null;
  }

  /** A file or folder moved: what is open goes along, and where it was read. */
  follow(from: string, to: string): void {
    const moved = (path: string) =>
      path === from || path.startsWith(`${from}/`) ? to + path.slice(from.length) : path;
    for (const [path, view] of [...this.views])
      if (moved(path) !== path) {
        this.views.delete(path);
        this.views.set(moved(path), view);
      }
    const { tabs, active, recent } = this.store.getState();
    const seen = new Set<string>();
    const once = (path: string) => !seen.has(path) && seen.add(path);
    this.become({
      tabs: tabs.map((tab) => ({ ...tab, path: moved(tab.path) })).filter((tab) => once(tab.path)),
      active: active === null ? null : moved(active),
      recent: [...new Set(recent.map(moved))],
    });
  }

  inside(path: string): string[] {
    const all = this.store.getState().tabs.map((tab) => tab.path);
    return all.filter((one) => one === path || one.startsWith(`${path}/`));
  }

  view(path: string): View | undefined {
    return this.views.get(path);
  }

  setView(path: string, view: View): void {
    if (this.has(path)) this.views.set(path, view);
  }

  remember(): void {
    const { tabs, active, recent } = this.store.getState();
    const views = Object.fromEntries(this.views);
    this.kept.set(this.key, JSON.stringify({ tabs, active, recent, views }));
  }

  private become(part: Partial<TabsState>): void {
    this.store.setState(part);
    this.remember();
  }

  private restore(): void {
    try {
      const kept = JSON.parse(this.kept.get(this.key) ?? "null") as
        | (Partial<TabsState> & { views?: Record<string, View> })
        | null;
      if (!kept || !Array.isArray(kept.tabs)) return;
      const { tabs, active = null, recent = [], views = {} } = kept;
      for (const [path, view] of Object.entries(views)) this.views.set(path, view);
      this.store.setState({ tabs, active: active ?? tabs[0]?.path ?? null, recent });
    } catch {
      this.kept.remove(this.key);
    }
  }
}
