/** The explorer: where the focus goes when rows do, ranges with an anchor, joined folders, the clipboard. */
import { expect, test } from "vitest";
import type { Kept } from "../../host/host";
import type { LiveWorkspace, Moved } from "../../host/live";
import { Explorer } from "./model";

function setting(paths: readonly string[]) {
  const memory = new Map<string, string>();
  const kept: Kept = {
    get: (key) => memory.get(key) ?? null,
    set: (key, value) => void memory.set(key, value),
    remove: (key) => void memory.delete(key),
  };
  const entries = new Map(paths.map((path) => [path, { path, kind: "file" }]));
  let tell: (changes: readonly Moved[] | "reset") => void = () => undefined;
  const live = {
    calls: { workspace: "w" },
    entries,
    onChanges: (listener: typeof tell) => {
      tell = listener;
      return () => undefined;
    },
  } as unknown as LiveWorkspace;
  const explorer = new Explorer(live, kept);
  const remove = (path: string) => tell([{ revision: 1, path }]);
  return { explorer, remove, again: () => new Explorer(live, kept) };
}

const state = (explorer: Explorer) => {
  const { focused, selected } = explorer.store.getState();
  return { focused, selected: [...selected] };
};

test("a row that only has the keyboard is where one begins, and nothing is made in it", () => {
  const { explorer } = setting(["data/a", "b"]);
  explorer.begin("data");
  expect(state(explorer)).toEqual({ focused: "data", selected: [] });
  expect(explorer.folder()).toBe("");
  explorer.select("data", "only");
  expect(explorer.folder()).toBe("data");
});

test("what is deleted leaves the focus on the row that takes its place", () => {
  const { explorer, remove } = setting(["a", "b", "c"]);
  explorer.select("b", "only");
  remove("b");
  expect(state(explorer)).toEqual({ focused: "c", selected: ["c"] });
  remove("c");
  expect(state(explorer)).toEqual({ focused: "a", selected: ["a"] });
  remove("a");
  expect(state(explorer)).toEqual({ focused: null, selected: [] });
});

test("a folder that is closed takes the focus of what it hides", () => {
  const { explorer } = setting(["src/a", "src/b", "z"]);
  explorer.reveal("src/b");
  explorer.toggle("src", false);
  expect(state(explorer)).toEqual({ focused: "src", selected: ["src"] });
});

test("a range grows and shrinks around its anchor", () => {
  const { explorer } = setting(["a", "b", "c", "d"]);
  explorer.select("b", "only");
  explorer.select("d", "range");
  expect(state(explorer).selected).toEqual(["b", "c", "d"]);
  explorer.select("c", "range");
  expect(state(explorer).selected).toEqual(["b", "c"]);
  explorer.select("a", "range");
  expect(state(explorer).selected).toEqual(["a", "b"]);
});

test("the parent of a row is a row that can be seen, also where folders are joined", () => {
  const { explorer } = setting(["a/b/c/x", "a/b/c/y", "a/b/d/z"]);
  explorer.reveal("a/b/c/x");
  expect(explorer.rows().map((row) => row.path)).toEqual([
    "a/b",
    "a/b/c",
    "a/b/c/x",
    "a/b/c/y",
    "a/b/d",
  ]);
  expect(explorer.parentRow("a/b/c/x")).toBe("a/b/c");
  expect(explorer.parentRow("a/b/c")).toBe("a/b");
  expect(explorer.parentRow("a/b")).toBeNull();
});

test("a new file opens its folder, and open folders are found again", () => {
  const { explorer, again } = setting(["src/a", "z"]);
  explorer.select("src", "only");
  explorer.create("file");
  expect(explorer.store.getState().editing).toEqual({ at: "src", kind: "file" });
  expect(
    again()
      .rows()
      .map((row) => row.path),
  ).toEqual(["src", "src/a", "z"]);
});

test("the clipboard holds what was chosen", () => {
  const { explorer } = setting(["a", "b", "c"]);
  explorer.select("a", "only");
  explorer.select("c", "toggle");
  explorer.clip("copy");
  expect(explorer.store.getState().clip).toEqual({ how: "copy", paths: new Set(["a", "c"]) });
  explorer.select("a", "toggle");
  expect(state(explorer).selected).toEqual(["c"]);
});
