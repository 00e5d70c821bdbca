/** Keys of the tree, on rows as they are shown. */
import { expect, test } from "vitest";
import { type Act, keyOf, TypeAhead } from "./keys";
import { Tree } from "./tree";

function rows() {
  const tree = new Tree();
  for (const path of ["data/raw/x.csv", "data/raw/y.csv", "src/a.py", "src/sub/b.py", "z.md"])
    tree.put(path, "file");
  tree.setOpen("data/raw", true);
  return tree.rows();
}

const plain = { ctrlKey: false, metaKey: false, shiftKey: false, altKey: false };
const press = (key: string, path: string, more: Partial<typeof plain> = {}): Act | null => {
  const list = rows();
  return keyOf(
    { key, ...plain, ...more },
    list,
    list.findIndex((row) => row.path === path),
    10,
  );
};

test("arrows, Home, End and pages stay inside the tree", () => {
  expect(press("ArrowDown", "data/raw")).toMatchObject({ path: "data/raw/x.csv", extend: false });
  expect(press("ArrowUp", "data/raw")).toMatchObject({ path: "data/raw" });
  expect(press("ArrowDown", "z.md", { shiftKey: true })).toMatchObject({
    path: "z.md",
    extend: true,
  });
  expect(press("PageDown", "src")).toMatchObject({ path: "z.md" });
  expect(press("Home", "z.md")).toMatchObject({ path: "data/raw" });
});

test("right opens, then enters; left closes, then goes to the parent", () => {
  expect(press("ArrowRight", "src")).toEqual({ do: "toggle", path: "src", open: true });
  expect(press("ArrowRight", "data/raw")).toMatchObject({ do: "go", path: "data/raw/x.csv" });
  expect(press("ArrowRight", "z.md")).toBeNull();
  expect(press("ArrowLeft", "data/raw")).toEqual({ do: "toggle", path: "data/raw", open: false });
  expect(press("ArrowLeft", "data/raw/x.csv")).toEqual({ do: "parent" });
});

test("the star opens all folders of its level", () => {
  expect(press("*", "z.md")).toEqual({ do: "openAll", paths: ["data/raw", "src"] });
  expect(press("*", "data/raw/x.csv")).toEqual({ do: "openAll", paths: [] });
});

test("commands have their keys, and letters with Ctrl are no typing", () => {
  expect(press("F2", "z.md")).toEqual({ do: "rename" });
  expect(press("Delete", "z.md")).toEqual({ do: "delete" });
  expect(press("X", "z.md", { ctrlKey: true })).toEqual({ do: "cut" });
  expect(press("c", "z.md", { metaKey: true })).toEqual({ do: "copy" });
  expect(press("F10", "z.md", { shiftKey: true })).toEqual({ do: "menu" });
  expect(press("F10", "z.md")).toBeNull();
  expect(press("ContextMenu", "z.md")).toEqual({ do: "menu" });
  expect(press("n", "z.md", { altKey: true })).toBeNull();
});

test("typed letters find rows, one more letter narrows, a pause begins anew", () => {
  const ahead = new TypeAhead();
  const list = rows();
  expect(ahead.find("s", 0, list, 0)).toBe("src");
  expect(ahead.find("z", 5_000, list, 3)).toBe("z.md");
  expect(ahead.find("x", 10_000, list, 0)).toBe("data/raw/x.csv");
  expect(ahead.find(".", 10_100, list, 1)).toBe("data/raw/x.csv");
  ahead.end();
  expect(ahead.find("z", 10_200, list, 1)).toBe("z.md");
  expect(ahead.find("q", 20_000, list, 1)).toBeNull();
});
