/** Drafts: the newest is found, an older save does not remove a newer edit, a move keeps them. */
import { describe, expect, test } from "vitest";
import { type Draft, MemoryDrafts } from "./drafts";

const draft = (path: string, base: string, at: number): Draft => ({
  workspace: "w",
  path,
  base,
  baseText: "",
  text: `${path} ${at}`,
  tab: "t",
  at,
});

describe("drafts", () => {
  test("are listed newest first and only for their workspace", async () => {
    const store = new MemoryDrafts();
    await store.put(draft("a", "1", 10));
    await store.put(draft("a", "2", 20));
    await store.put({ ...draft("a", "1", 30), workspace: "other" });
    expect((await store.all("w")).map((one) => one.at)).toEqual([20, 10]);
  });

  test("a save removes what it saved and nothing newer", async () => {
    const store = new MemoryDrafts();
    await store.put(draft("a", "1", 10));
    await store.put(draft("a", "2", 20));
    await store.put(draft("ab", "1", 5));
    await store.remove("w", "a", "other");
    await store.remove("w", "a", "t", 15);
    expect((await store.all("w")).map((one) => one.text)).toEqual(["a 20", "ab 5"]);
  });

  test("follow a moved folder", async () => {
    const store = new MemoryDrafts();
    await store.put(draft("src/a", "1", 10));
    await store.put(draft("srcs", "1", 11));
    await store.move("w", "src", "lib");
    expect((await store.all("w")).map((one) => one.path)).toEqual(["srcs", "lib/a"]);
  });
});
