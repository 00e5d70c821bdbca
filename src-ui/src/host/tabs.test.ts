/** Which page this is: kept over a reload, never shared with a living one. */
import { expect, test } from "vitest";
import { openTab } from "./tabs";

/** The locks of one browser, shared by its pages; a page's end frees what it held. */
class Locks {
  readonly held = new Map<string, object>();

  private waiting: { name: string; page: object; run: () => void }[] = [];

  of(page: object): Pick<LockManager, "request" | "query"> {
    const request = (name: string, { signal }: LockOptions, run: () => unknown) =>
      new Promise((_, fail) => {
        const one = { name, page, run: () => void run() };
        signal?.addEventListener("abort", () => {
          this.waiting = this.waiting.filter((other) => other !== one);
          fail(signal.reason);
        });
        this.waiting.push(one);
        this.grant();
      });
    const query = () =>
      Promise.resolve({ held: [...this.held.keys()].map((name) => ({ name })), pending: [] });
    return { request, query } as unknown as Pick<LockManager, "request" | "query">;
  }

  end(page: object): void {
    for (const [name, holder] of this.held) if (holder === page) this.held.delete(name);
    this.grant();
  }

  private grant(): void {
    for (const one of this.waiting)
      if (!this.held.has(one.name)) {
        this.held.set(one.name, one.page);
        this.waiting = this.waiting.filter((other) => other !== one);
        one.run();
      }
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
/** Time passes when the test says so. */
const late: (() => void)[] = [];
const after = (_ms: number, run: () => void) => {
  late.push(run);
  return () => undefined;
};

test("a reload keeps the id", async () => {
  const locks = new Locks();
  const [first, place] = [{}, storage()];
  const before = await openTab({ storage: place, locks: locks.of(first), newId, after });
  locks.end(first);
  const again = await openTab({ storage: place, locks: locks.of({}), newId, after });
  expect(again.id).toBe(before.id);
});

test("a reload waits for the page before it to be gone", async () => {
  const locks = new Locks();
  const [first, place] = [{}, storage()];
  const before = await openTab({ storage: place, locks: locks.of(first), newId, after });
  const opening = openTab({ storage: place, locks: locks.of({}), newId, after });
  locks.end(first);
  expect((await opening).id).toBe(before.id);
});

test("a duplicated tab takes an id of its own, and both live", async () => {
  const locks = new Locks();
  const place = storage();
  const one = await openTab({ storage: place, locks: locks.of({}), newId, after });
  const copy = storage(place.kept);
  const opening = openTab({ storage: copy, locks: locks.of({}), newId, after });
  for (const run of late) run();
  const two = await opening;
  expect(two.id).not.toBe(one.id);
  expect(copy.kept.get("slipway-tab")).toBe(two.id);
  expect(await one.living()).toEqual(new Set([one.id, two.id]));
});

test("where there are no locks, nobody can tell who lives", async () => {
  const tab = await openTab({ storage: storage(), locks: null, newId, after });
  expect(tab.id).toMatch(/^id-/);
  expect(await tab.living()).toBe(null);
});
