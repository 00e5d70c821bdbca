/** What stands in place of the editor: a conflict, or the history of a file. Each keeps what was done in it. */
import { createStore } from "zustand/vanilla";
import type { MainView } from "../bench/bench";
import type { KeeperHost } from "../features/editor/conflict/mergeKeeper";
import type { Resolver } from "../features/editor/conflict/resolver";
import { Resolvers } from "../features/editor/conflict/resolvers";
import { FileHistory } from "../features/history/model";
import type { Here } from "../host/here";
import type { LiveWorkspace } from "../host/live";

export class MainViews {
  readonly store = createStore<{ view: MainView | null }>(() => ({ view: null }));
  private readonly resolvers: Resolvers | null;
  private history: FileHistory | null = null;

  constructor(
    private readonly live: LiveWorkspace,
    private readonly here: Here | null,
    host: KeeperHost,
    private readonly active: () => string | null,
  ) {
    this.resolvers = here ? new Resolvers(live, here, host) : null;
  }

  dispose(): void {
    this.resolvers?.dispose();
    this.history?.dispose();
  }

  /** Keeps what is not saved, now. */
  async putDown(): Promise<void> {
    await this.resolvers?.putDown();
  }

  show(view: MainView | null): void {
    this.store.setState({ view });
  }

  /** The conflict that is shown; null when none is, or it stands no more. */
  conflict(): Resolver | null {
    const { view } = this.store.getState();
    return view?.kind === "conflict" ? (this.resolvers?.of(view.copy) ?? null) : null;
  }

  /** The versions of the file whose history is shown; with `open`, else of the file that is open. */
  versions(open = false): FileHistory | null {
    const { view } = this.store.getState();
    const path = view?.kind === "history" ? view.path : open ? this.active() : null;
    if (path === null) return null;
    if (this.history?.path === path) return this.history;
    this.history?.dispose();
    this.history = new FileHistory(this.live, path, this.here);
    return this.history;
  }
}
