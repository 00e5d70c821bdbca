/** Unsaved buffers, kept in the browser so that they survive a reload, a crash and being offline. */
import { finished, openDatabase } from "./database";
import type { Part } from "./merge";

export interface Draft {
  workspace: string;
  path: string;
  /** Hash of the content it was made from; empty: the file did not exist. */
  base: string;
  /** That content, so that it can be merged without asking anyone. */
  baseText: string;
  text: string;
  /** Texts that were sent and not answered: when one stands on the server, it is this draft's base. */
  doubts: string[];
  /** The browser tab that types: two tabs never overwrite each other's draft. */
  tab: string;
  /** Unix milliseconds of its last change. */
  at: number;
}

/** The result of a merge that is not saved. Its path is that of the copy that a conflict has made. */
export interface MergeDraft extends Draft {
  /** What was decided. */
  parts: readonly Part[];
}

/** One draft for each workspace, path and tab: a later text of a tab holds its earlier ones. */
export interface DraftStore<D extends Draft = Draft> {
  /** Whether a reload finds what was put. */
  readonly lasting: boolean;
  put(draft: D): Promise<void>;
  remove(workspace: string, path: string, tab: string): Promise<void>;
  /** Newest first. */
  all(workspace: string): Promise<D[]>;
  /** How many files have drafts, by workspace. */
  waiting(): Promise<ReadonlyMap<string, number>>;
  /** Takes the drafts of all tabs along with a file or folder. */
  move(workspace: string, from: string, to: string): Promise<void>;
}

/** What is kept: texts of files, or results of merges. */
export type DraftsName = "slipway-drafts" | "slipway-merges";

const STORE = "texts";
/** The store of the first version, whose key held the base too. */
const FIRST_STORE = "drafts";

/** Drafts in memory: for tests, and where the browser refuses to keep anything. */
export class MemoryDrafts<D extends Draft = Draft> implements DraftStore<D> {
  readonly lasting = false;
  private readonly kept = new Map<string, D>();

  async put(draft: D): Promise<void> {
    this.kept.set(keyOf(draft), { ...draft });
  }

  async remove(workspace: string, path: string, tab: string): Promise<void> {
    this.kept.delete(keyOf({ workspace, path, tab }));
  }

  async all(workspace: string): Promise<D[]> {
    return newestFirst([...this.kept.values()].filter((draft) => draft.workspace === workspace));
  }

  async waiting(): Promise<ReadonlyMap<string, number>> {
    return filesOf([...this.kept.values()].map(({ workspace, path }) => [workspace, path]));
  }

  async move(workspace: string, from: string, to: string): Promise<void> {
    await moveAll(this, workspace, from, to);
  }
}

function keyOf({ workspace, path, tab }: Pick<Draft, "workspace" | "path" | "tab">): string {
  return [workspace, path, tab].join("\n");
}

/** Drafts in IndexedDB. */
export class BrowserDrafts<D extends Draft = Draft> implements DraftStore<D> {
  readonly lasting = true;
  private readonly database: Promise<IDBDatabase>;

  constructor(name: DraftsName, factory: IDBFactory = indexedDB) {
    this.database = openDatabase(factory, name, 2, upgrade);
  }

  put(draft: D): Promise<void> {
    return this.change((store) => store.put(draft));
  }

  remove(workspace: string, path: string, tab: string): Promise<void> {
    return this.change((store) => store.delete([workspace, path, tab]));
  }

  async all(workspace: string): Promise<D[]> {
    const transaction = (await this.database).transaction(STORE, "readonly");
    const request = transaction
      .objectStore(STORE)
      .getAll(IDBKeyRange.bound([workspace], [workspace, []]));
    await finished(transaction);
    return newestFirst(request.result as D[]);
  }

  async waiting(): Promise<ReadonlyMap<string, number>> {
    const transaction = (await this.database).transaction(STORE, "readonly");
    // The keys alone: a text may be large.
    const request = transaction.objectStore(STORE).getAllKeys();
    await finished(transaction);
    return filesOf(request.result as [workspace: string, path: string, tab: string][]);
  }

  async move(workspace: string, from: string, to: string): Promise<void> {
    await moveAll(this, workspace, from, to);
  }

  /** One request, committed at once: a page that is being left has no time for its answer. */
  private async change(act: (store: IDBObjectStore) => void): Promise<void> {
    const transaction = (await this.database).transaction(STORE, "readwrite");
    act(transaction.objectStore(STORE));
    const done = finished(transaction);
    transaction.commit();
    await done;
  }
}

/** Makes the store, taking over what the first version kept. */
function upgrade(request: IDBOpenDBRequest): void {
  const database = request.result;
  const store = database.createObjectStore(STORE, { keyPath: ["workspace", "path", "tab"] });
  if (!database.objectStoreNames.contains(FIRST_STORE) || !request.transaction) return;
  const old = request.transaction.objectStore(FIRST_STORE).getAll();
  old.onsuccess = () => {
    // The newest of a key is put last and stays.
    for (const draft of newestFirst(old.result as Draft[]).reverse())
      store.put({ ...draft, doubts: [] });
    database.deleteObjectStore(FIRST_STORE);
  };
}

/** IndexedDB where there is one, memory otherwise. */
export function openDrafts<D extends Draft = Draft>(name: DraftsName): DraftStore<D> {
  return typeof indexedDB === "undefined" ? new MemoryDrafts() : new BrowserDrafts(name);
}

async function moveAll<D extends Draft>(
  store: DraftStore<D>,
  workspace: string,
  from: string,
  to: string,
): Promise<void> {
  for (const draft of await store.all(workspace)) {
    const inside = draft.path.startsWith(`${from}/`);
    if (draft.path !== from && !inside) continue;
    await store.put({ ...draft, path: to + draft.path.slice(from.length) });
    await store.remove(workspace, draft.path, draft.tab);
  }
}

/** Counts each file once, however many tabs have a draft of it. */
function filesOf(
  keys: readonly (readonly [workspace: string, path: string, ...unknown[]])[],
): ReadonlyMap<string, number> {
  const paths = new Map<string, Set<string>>();
  for (const [workspace, path] of keys)
    paths.set(workspace, (paths.get(workspace) ?? new Set()).add(path));
  return new Map([...paths].map(([workspace, files]) => [workspace, files.size]));
}

function newestFirst<D extends Draft>(drafts: D[]): D[] {
  return drafts.sort((a, b) => b.at - a.at);
}
