/** The trees of workspaces as they were last seen, kept in the browser, so that files are found while the server is away. */
import { finished, openDatabase } from "./database";
import type { Entry } from "./generated/api/Entry";
import type { Host } from "./host";

export interface LastTree {
  workspace: string;
  entries: Entry[];
  /** Unix milliseconds of when it was seen. */
  at: number;
}

/** One tree for each workspace. */
export interface TreeStore {
  put(tree: LastTree): Promise<void>;
  remove(workspace: string): Promise<void>;
  get(workspace: string): Promise<LastTree | null>;
}

/** The workspaces whose trees are kept: those that were seen last. */
export const TREES_MAX = 8;
/** Some 150 bytes each; a larger tree is not kept. */
export const ENTRIES_MAX = 20_000;
/** A tree that goes on changing is written so often. */
const WRITE_MS = 5_000;

const NAME = "slipway-trees";
const STORE = "trees";
const BY_TIME = "at";

/** Trees in memory: for tests, and where the browser refuses to keep anything. */
export class MemoryTrees implements TreeStore {
  private readonly kept = new Map<string, LastTree>();

  async put(tree: LastTree): Promise<void> {
    this.kept.set(tree.workspace, tree);
  }

  async remove(workspace: string): Promise<void> {
    this.kept.delete(workspace);
  }

  async get(workspace: string): Promise<LastTree | null> {
    return this.kept.get(workspace) ?? null;
  }
}

/** Trees in IndexedDB, apart from the drafts: what can be fetched again must never stand in the way of what cannot. */
export class BrowserTrees implements TreeStore {
  private readonly database: Promise<IDBDatabase>;

  constructor(factory: IDBFactory = indexedDB) {
    this.database = openDatabase(factory, NAME, 1, ({ result }) =>
      result.createObjectStore(STORE, { keyPath: "workspace" }).createIndex(BY_TIME, BY_TIME),
    );
  }

  async put(tree: LastTree): Promise<void> {
    const { store, done } = await this.begin("readwrite");
    store.put(tree);
    const oldestFirst = store.index(BY_TIME).getAllKeys();
    oldestFirst.onsuccess = () => {
      for (const key of oldestFirst.result.slice(0, -TREES_MAX)) store.delete(key);
    };
    await done;
  }

  async remove(workspace: string): Promise<void> {
    const { store, done } = await this.begin("readwrite");
    store.delete(workspace);
    await done;
  }

  async get(workspace: string): Promise<LastTree | null> {
    const { store, done } = await this.begin("readonly");
    const request = store.get(workspace);
    await done;
    return (request.result as LastTree | undefined) ?? null;
  }

  private async begin(mode: IDBTransactionMode) {
    const transaction = (await this.database).transaction(STORE, mode);
    return { store: transaction.objectStore(STORE), done: finished(transaction) };
  }
}

/** IndexedDB where there is one, memory otherwise. */
export function openTrees(): TreeStore {
  return typeof indexedDB === "undefined" ? new MemoryTrees() : new BrowserTrees();
}

/** The tree of one open workspace: written at once, and then from time to time while it changes. */
export class KeptTree {
  private due: (() => void) | null = null;
  private unwritten: ReadonlyMap<string, Entry> | null = null;

  constructor(
    private readonly workspace: string,
    private readonly host: Pick<Host, "trees" | "after" | "now">,
  ) {}

  /** Null when there is none, or the browser refuses. */
  async recall(): Promise<LastTree | null> {
    return this.host.trees.get(this.workspace).catch(() => null);
  }

  /** Keeps the tree as it will be when its turn comes. */
  keep(entries: ReadonlyMap<string, Entry>): void {
    this.unwritten = entries;
    if (this.due) return;
    this.write();
    this.due = this.host.after(WRITE_MS, () => {
      this.due = null;
      if (this.unwritten) this.keep(this.unwritten);
    });
  }

  /** Nothing more will change. */
  end(): void {
    this.due?.();
    this.due = null;
    this.write();
  }

  private write(): void {
    const { unwritten, workspace, host } = this;
    this.unwritten = null;
    if (!unwritten) return;
    const done =
      unwritten.size > ENTRIES_MAX
        ? host.trees.remove(workspace)
        : host.trees.put({ workspace, entries: [...unwritten.values()], at: host.now() });
    // Without it the next visit needs the server, as a first one does.
    done.catch(() => undefined);
  }
}
