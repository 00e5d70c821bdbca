/** Which page this is: kept over a reload, never shared with a living one. */
import { expect, test } from "vitest";
import { openTab } from "./tabs";

/** The locks of one browser, shared by its pages; a page's end frees what it held. */
class Locks {
  readonly held = new Map<string, object>();

  of(page: object): Pick<LockManager, "request" | "query"> {
    const request = (name: string, _options: unknown, run: (lock: Lock | null) => unknown) => {
      const free = !this.held.has(name);
      if (free) this.held.set(name, page);
      run(free ? ({ name } as Lock) : null);
      return Promise.resolve();
    };
    const query = () =>
      Promise.resolve({ held: [...this.held.keys()].map((name) => ({ name })), pending: [] });
    return { request, query } as unknown as Pick<LockManager, "request" | "query">;
  }

  end(page: object): void {
    for (const [name, holder] of this.held) if (holder === page) this.held.delete(name);
  }
}

function storage(copied?: Map<string, string>) {
  const kept = new Map(copied);
  return {
    kept,
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
  };
}

let count = 0;
const newId = () => `id-${++count}`;

test("a reload keeps the id", async () => {
  const locks = new Locks();
  const [first, place] = [{}, storage()];
  const before = await openTab({ storage: place, locks: locks.of(first), newId });
  locks.end(first);
  const after = await openTab({ storage: place, locks: locks.of({}), newId });
  expect(after.id).toBe(before.id);
});

test("a duplicated tab takes an id of its own, and both live", async () => {
  const locks = new Locks();
  const place = storage();
  const one = await openTab({ storage: place, locks: locks.of({}), newId });
  const copy = storage(place.kept);
  const two = await openTab({ storage: copy, locks: locks.of({}), newId });
  expect(two.id).not.toBe(one.id);
  expect(copy.kept.get("slipway-tab")).toBe(two.id);
  expect(await one.living()).toEqual(new Set([one.id, two.id]));
});

test("where there are no locks, nobody can tell who lives", async () => {
  const tab = await openTab({ storage: storage(), locks: null, newId });
  expect(tab.id).toMatch(/^id-/);
  expect(await tab.living()).toBe(null);
});
