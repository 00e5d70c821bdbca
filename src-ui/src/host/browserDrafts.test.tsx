/** Drafts in a real IndexedDB. */
import { expect, test } from "vitest";
import { BrowserDrafts } from "./drafts";

test("waiting drafts are counted by workspace, a file of two tabs once", async () => {
  const drafts = new BrowserDrafts();
  const draft = { base: "", baseText: "", text: "x", doubts: [], at: 1 };
  for (const [workspace, path, tab] of [
    ["counted", "a", "one"],
    ["counted", "a", "two"],
    ["counted", "b", "one"],
    ["other", "a", "one"],
  ] as const)
    await drafts.put({ ...draft, workspace, path, tab });
  expect(Object.fromEntries(await drafts.waiting())).toEqual({ counted: 2, other: 1 });
});
