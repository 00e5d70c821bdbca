/** The kept tree of a workspace: written at once, then from time to time, and never too large. */
import { expect, test } from "vitest";
import type { Entry } from "./generated/api/Entry";
import { ENTRIES_MAX, KeptTree, MemoryTrees } from "./trees";

const entry = (path: string): Entry => ({
  path,
  kind: "file",
  size: 1,
  hash: path,
  executable: false,
  revision: 1,
});

function scene() {
  const trees = new MemoryTrees();
  const timers = new Set<() => void>();
  const after = (_ms: number, run: () => void) => {
    timers.add(run);
    return () => void timers.delete(run);
  };
  const kept = new KeptTree("w", { trees, after, now: () => 7 });
  const entries = new Map<string, Entry>();
  const put = (path: string) => {
    entries.set(path, entry(path));
    kept.keep(entries);
  };
  const paths = async () => (await trees.get("w"))?.entries.map((one) => one.path) ?? null;
  const fire = () => {
    const [run] = timers;
    if (run) timers.delete(run);
    run?.();
  };
  return { trees, timers, kept, entries, put, paths, fire };
}

test("a tree is kept at once, then as it has become, and rests when nothing changes", async () => {
  const { kept, timers, put, paths, fire } = scene();
  expect(await kept.recall()).toBeNull();
  put("a");
  expect(await paths()).toEqual(["a"]);
  put("b");
  put("c");
  expect(await paths()).toEqual(["a"]);
  fire();
  expect(await paths()).toEqual(["a", "b", "c"]);
  fire();
  expect(timers.size).toBe(0);
});

test("what changed last is kept when the workspace is left", async () => {
  const { kept, timers, put, paths } = scene();
  put("a");
  put("b");
  kept.end();
  expect(await paths()).toEqual(["a", "b"]);
  expect(timers.size).toBe(0);
});

test("a tree that has grown too large is forgotten instead of being told in parts", async () => {
  const { entries, kept, put, paths, fire } = scene();
  put("a");
  for (let count = 0; count < ENTRIES_MAX; count += 1) entries.set(`${count}`, entry(`${count}`));
  put("b");
  fire();
  expect(await paths()).toBeNull();
  expect(await kept.recall()).toBeNull();
});
