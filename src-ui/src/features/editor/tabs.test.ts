/** Tabs: one preview at a time, neighbours take over, and a reload finds everything. */
import { expect, test } from "vitest";
import { OpenTabs } from "./tabs";

function kept() {
  const map = new Map<string, string>();
  return {
    get: (key: string) => map.get(key) ?? null,
    set: (key: string, value: string) => void map.set(key, value),
    remove: (key: string) => void map.delete(key),
  };
}

const paths = (tabs: OpenTabs<number>) =>
  tabs.store.getState().tabs.map((tab) => (tab.preview ? `(${tab.path})` : tab.path));

test("a preview takes the place of the one before, until it is pinned", () => {
  const tabs = new OpenTabs<number>(kept(), "w");
  tabs.open("a", false);
  expect(tabs.open("b", true)).toBeNull();
  expect(tabs.open("c", true)).toBe("b");
  expect(paths(tabs)).toEqual(["a", "(c)"]);
  tabs.pin("c");
  expect(tabs.open("d", true)).toBeNull();
  expect(tabs.open("d", false)).toBeNull();
  expect(paths(tabs)).toEqual(["a", "c", "d"]);
});

test("showing a pinned tab in passing does not take its pin or another's place", () => {
  const tabs = new OpenTabs<number>(kept(), "w");
  tabs.open("a", false);
  tabs.open("b", true);
  expect(tabs.open("a", true)).toBeNull();
  expect(paths(tabs)).toEqual(["a", "(b)"]);
});

test("when the shown tab closes, its neighbour is shown", () => {
  const tabs = new OpenTabs<number>(kept(), "w");
  for (const path of ["a", "b", "c"]) tabs.open(path, false);
  tabs.open("b", false);
  tabs.close("b");
  expect(tabs.active).toBe("c");
  tabs.close("c");
  expect(tabs.active).toBe("a");
  tabs.close("a");
  expect(tabs.active).toBeNull();
});

test("a moved folder takes its tabs and their places along", () => {
  const tabs = new OpenTabs<number>(kept(), "w");
  tabs.open("src/a", false);
  tabs.open("srcs", false);
  tabs.setView("src/a", 7);
  tabs.follow("src", "lib");
  expect(paths(tabs)).toEqual(["lib/a", "srcs"]);
  expect(tabs.view("lib/a")).toBe(7);
  tabs.follow("srcs", "lib/a");
  expect(paths(tabs)).toEqual(["lib/a"]);
});

test("a reload finds tabs, the shown one, where each was read, and what was opened lately", () => {
  const store = kept();
  const before = new OpenTabs<number>(store, "w");
  for (const path of ["a", "b"]) before.open(path, false);
  before.setView("a", 3);
  before.open("a", false);
  const after = new OpenTabs<number>(store, "w");
  expect(after.store.getState()).toEqual(before.store.getState());
  expect(after.view("a")).toBe(3);
  expect(new OpenTabs<number>(store, "other").active).toBeNull();
});

test("what cannot be read back is forgotten", () => {
  const store = kept();
  store.set("slipway.tabs.w", "{");
  expect(new OpenTabs<number>(store, "w").store.getState().tabs).toEqual([]);
  expect(store.get("slipway.tabs.w")).toBeNull();
});
