/** Which page this is, so that two of them never take each other's drafts for their own. */
import type { Tab } from "./host";

/** What a browser has for it; `locks` only where the page is safe from listeners. */
export interface TabWorld {
  storage: Pick<Storage, "getItem" | "setItem">;
  locks: Pick<LockManager, "request" | "query"> | null;
  newId(): string;
}

const KEY = "slipway-tab";
const PREFIX = "slipway-tab-";

/**
 * This page's id, kept over a reload. Duplicating a tab copies the id as well; the lock tells the copy, which takes a
 * new one.
 */
export async function openTab(world: TabWorld): Promise<Tab> {
  const { storage, locks } = world;
  const known = storage.getItem(KEY);
  let id = known ?? world.newId();
  if (locks && !(await hold(locks, id))) {
    id = world.newId();
    await hold(locks, id);
  }
  storage.setItem(KEY, id);
  return { id, living: () => living(locks) };
}

/** Holds the id's lock for as long as the page lives; false when another page has it. */
function hold(locks: Pick<LockManager, "request">, id: string): Promise<boolean> {
  return new Promise((resolve) => {
    const held = (lock: Lock | null) => {
      resolve(lock !== null);
      return lock === null ? undefined : new Promise<never>(() => undefined);
    };
    locks.request(PREFIX + id, { ifAvailable: true }, held).catch(() => resolve(true));
  });
}

async function living(locks: Pick<LockManager, "query"> | null): Promise<Set<string> | null> {
  if (!locks) return null;
  const { held = [] } = await locks.query();
  const names = held.map((lock) => lock.name ?? "").filter((name) => name.startsWith(PREFIX));
  return new Set(names.map((name) => name.slice(PREFIX.length)));
}
