/** Which page this is, so that two of them never take each other's drafts for their own. */
import type { Tab } from "./host";

/** What a browser has for it; `locks` only where the page is safe from listeners. */
export interface TabWorld {
  storage: Pick<Storage, "getItem" | "setItem">;
  locks: Pick<LockManager, "request" | "query"> | null;
  newId(): string;
  after(ms: number, run: () => void): () => void;
}

const KEY = "slipway-tab";
const PREFIX = "slipway-tab-";
/** How long the page before a reload may take to give its lock back. */
const RELOAD_MS = 1_000;

/**
 * This page's id, kept over a reload. Duplicating a tab copies the id as well; the lock tells the copy, which takes a
 * new one.
 */
export async function openTab(world: TabWorld): Promise<Tab> {
  const { storage, locks, after } = world;
  const known = storage.getItem(KEY);
  let id = known ?? world.newId();
  if (locks && !(await hold(locks, id, after))) {
    id = world.newId();
    await hold(locks, id, after);
  }
  storage.setItem(KEY, id);
  return { id, living: () => living(locks) };
}

/**
 * Holds the id's lock for as long as the page lives; false when another page has it. Right after a reload that is the
 * page before, which is on its way out: an id of its own would leave its drafts to somebody else.
 */
function hold(
  locks: Pick<LockManager, "request">,
  id: string,
  after: TabWorld["after"],
): Promise<boolean> {
  const late = new AbortController();
  return new Promise((resolve) => {
    const stop = after(RELOAD_MS, () => late.abort());
    const held = () => {
      stop();
      resolve(true);
      return new Promise<never>(() => undefined);
    };
    locks
      .request(PREFIX + id, { signal: late.signal }, held)
      .catch(() => resolve(!late.signal.aborted));
  });
}

async function living(locks: Pick<LockManager, "query"> | null): Promise<Set<string> | null> {
  if (!locks) return null;
  const { held = [] } = await locks.query();
  const names = held.map((lock) => lock.name ?? "").filter((name) => name.startsWith(PREFIX));
  return new Set(names.map((name) => name.slice(PREFIX.length)));
}
