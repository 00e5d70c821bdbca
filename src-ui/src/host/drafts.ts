/** Unsaved buffers, kept in the browser so that they survive a reload, a crash and being offline. */

export interface Draft {
  workspace: string;
  path: string;
  /** Hash of the content it was made from; empty: the file did not exist. */
  base: string;
  /** That content, so that it can be merged without asking anyone. */
  baseText: string;
  text: string;
  /** The browser tab that types: two tabs never overwrite each other's draft. */
  tab: string;
  /** Unix milliseconds of its last change. */
  at: number;
}

export interface DraftStore {
  put(draft: Draft): Promise<void>;
  /** Forgets one tab's drafts of a path that are not newer than `until`. */
  remove(workspace: string, path: string, tab: string, until?: number): Promise<void>;
  /** Newest first. */
  all(workspace: string): Promise<Draft[]>;
  move(workspace: string, from: string, to: string): Promise<void>;
}

const NAME = "slipway-drafts";
const STORE = "drafts";

/** Drafts in memory: for tests, and where the browser refuses to keep anything. */
export class MemoryDrafts implements DraftStore {
  private readonly kept = new Map<string, Draft>();

  async put(draft: Draft): Promise<void> {
    this.kept.set(keyOf(draft).join("\n"), { ...draft });
  }

  async remove(
    workspace: string,
    path: string,
    tab: string,
    until = Number.POSITIVE_INFINITY,
  ): Promise<void> {
    for (const [key, draft] of this.kept)
      if (
        draft.workspace === workspace &&
        draft.path === path &&
        draft.tab === tab &&
        draft.at <= until
      )
        this.kept.delete(key);
  }

  async all(workspace: string): Promise<Draft[]> {
    return [...this.kept.values()]
      .filter((draft) => draft.workspace === workspace)
      .sort((a, b) => b.at - a.at);
  }

  async move(workspace: string, from: string, to: string): Promise<void> {
    await moveAll(this, workspace, from, to);
  }
}

/** Drafts in IndexedDB. */
export class BrowserDrafts implements DraftStore {
  private readonly database: Promise<IDBDatabase>;

  constructor(factory: IDBFactory = indexedDB) {
    this.database = new Promise((resolve, reject) => {
      const request = factory.open(NAME, 1);
      request.onupgradeneeded = () => {
        request.result.createObjectStore(STORE, { keyPath: ["workspace", "path", "base", "tab"] });
      };
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
      request.onblocked = () => reject(new Error("Another tab holds an older version open."));
    });
    // The failure is seen by the first call that needs it.
    this.database.catch(() => undefined);
  }

  async put(draft: Draft): Promise<void> {
    const database = await this.database;
    const transaction = database.transaction(STORE, "readwrite");
    transaction.objectStore(STORE).put(draft);
    await finished(transaction);
  }

  async remove(
    workspace: string,
    path: string,
    tab: string,
    until = Number.POSITIVE_INFINITY,
  ): Promise<void> {
    const database = await this.database;
    const transaction = database.transaction(STORE, "readwrite");
    const store = transaction.objectStore(STORE);
    const request = store.openCursor(
      IDBKeyRange.bound([workspace, path], [workspace, path, []], false, false),
    );
    request.onsuccess = () => {
      const cursor = request.result;
      if (!cursor) return;
      const draft = cursor.value as Draft;
      if (draft.tab === tab && draft.at <= until) cursor.delete();
      cursor.continue();
    };
    await finished(transaction);
  }

  async all(workspace: string): Promise<Draft[]> {
    const database = await this.database;
    const transaction = database.transaction(STORE, "readonly");
    const request = transaction
      .objectStore(STORE)
      .getAll(IDBKeyRange.bound([workspace], [workspace, []]));
    await finished(transaction);
    return (request.result as Draft[]).sort((a, b) => b.at - a.at);
  }

  async move(workspace: string, from: string, to: string): Promise<void> {
    await moveAll(this, workspace, from, to);
  }
}

/** IndexedDB where there is one, memory otherwise. */
export function openDrafts(): DraftStore {
  return typeof indexedDB === "undefined" ? new MemoryDrafts() : new BrowserDrafts();
}

async function moveAll(
  store: DraftStore,
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

function keyOf(draft: Draft): string[] {
  return [draft.workspace, draft.path, draft.base, draft.tab];
}

function finished(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onerror = () => reject(transaction.error);
    transaction.onabort = () => reject(transaction.error);
  });
}
