/** Trees in a real browser's database: found again, one for each workspace, and only those that were seen last. */
import { expect, test } from "vitest";
import { BrowserTrees, TREES_MAX } from "./trees";

const tree = (workspace: string, at: number) => ({ workspace, entries: [], at });

test("only the trees that were seen last are kept", async () => {
  const trees = new BrowserTrees();
  for (let at = 0; at < TREES_MAX; at += 1) await trees.put(tree(`w${at}`, at));
  await trees.put(tree("w0", 100));
  await trees.put(tree("new", 101));
  const again = new BrowserTrees();
  expect(await again.get("w0")).toEqual(tree("w0", 100));
  expect(await again.get("w1")).toBeNull();
  expect(await again.get("w2")).not.toBeNull();
  await again.remove("new");
  expect(await trees.get("new")).toBeNull();
});
