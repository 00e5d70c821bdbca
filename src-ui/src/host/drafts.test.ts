/** Drafts: the newest is found, a tab has one for each path, a move keeps them. */
import { describe, expect, test } from "vitest";
import { type Draft, MemoryDrafts } from "./drafts";

const draft = (path: string, tab: string, at: number): Draft => ({
  workspace: "w",
  path,
  base: "1",
  baseText: "",
  text: `${path} ${at}`,
  doubts: [],
  tab,
  at,
});

describe("drafts", () => {
  test("are listed newest first and only for their workspace", async () => {
    const store = new MemoryDrafts();
    await store.put(draft("a", "one", 10));
    await store.put(draft("a", "two", 20));
    await store.put({ ...draft("a", "one", 30), workspace: "other" });
    expect((await store.all("w")).map((one) => one.at)).toEqual([20, 10]);
  });

  test("a tab has one draft of a path, and removing it leaves those of other tabs", async () => {
    const store = new MemoryDrafts();
    await store.put({ ...draft("a", "one", 10), base: "0" });
    await store.put(draft("a", "one", 20));
    await store.put(draft("a", "two", 5));
    await store.put(draft("ab", "one", 5));
    expect((await store.all("w")).map((one) => one.text)).toEqual(["a 20", "a 5", "ab 5"]);
    await store.remove("w", "a", "one");
    expect((await store.all("w")).map((one) => one.text)).toEqual(["a 5", "ab 5"]);
  });

  test("are counted by workspace, a file of two tabs once", async () => {
    const store = new MemoryDrafts();
    await store.put(draft("a", "one", 10));
    await store.put(draft("a", "two", 20));
    await store.put(draft("b", "one", 30));
    await store.put({ ...draft("a", "one", 40), workspace: "other" });
    expect(Object.fromEntries(await store.waiting())).toEqual({ w: 2, other: 1 });
  });

  test("follow a moved folder", async () => {
    const store = new MemoryDrafts();
    await store.put(draft("src/a", "one", 10));
    await store.put(draft("srcs", "one", 11));
    await store.move("w", "src", "lib");
    expect((await store.all("w")).map((one) => one.path)).toEqual(["srcs", "lib/a"]);
  });
});
