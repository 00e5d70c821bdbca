/** Drafts in a real IndexedDB. */
import { expect, test } from "vitest";
import { BrowserDrafts, type MergeDraft } from "./drafts";

test("waiting drafts are counted by workspace, a file of two tabs once", async () => {
  const drafts = new BrowserDrafts("slipway-drafts");
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

test("results of merges are kept apart from texts of the same path", async () => {
  const merges = new BrowserDrafts<MergeDraft>("slipway-merges");
  const draft = { workspace: "apart", path: "a", base: "", baseText: "", doubts: [], tab: "one" };
  await merges.put({ ...draft, text: "merged", parts: [], at: 1 });
  expect(await new BrowserDrafts("slipway-drafts").all("apart")).toEqual([]);
  expect(await merges.all("apart")).toMatchObject([{ text: "merged", parts: [] }]);
});
