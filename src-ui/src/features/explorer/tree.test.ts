/** The tree against a naive one: random operations, the same rows. */
import { expect, test } from "vitest";
import { parentOf } from "./names";
import { type NodeKind, Tree } from "./tree";

function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Rows computed from scratch out of a plain map. */
function naive(kinds: ReadonlyMap<string, NodeKind>, open: ReadonlySet<string>): string[] {
  const children = (folder: string) => {
    const list = [...kinds.keys()].filter((path) => parentOf(path) === folder);
    return list.sort((a, b) => {
      const byKind = Number(kinds.get(b) === "folder") - Number(kinds.get(a) === "folder");
      return byKind || (a < b ? -1 : 1);
    });
  };
  const out: string[] = [];
  const visit = (folder: string, level: number) => {
    const list = children(folder);
    list.forEach((first, index) => {
      let path = first;
      for (;;) {
        const inside = kinds.get(path) === "folder" ? children(path) : [];
        if (inside.length !== 1 || kinds.get(inside[0] as string) !== "folder") break;
        path = inside[0] as string;
      }
      out.push(`${level} ${path} ${index + 1}/${list.length}`);
      if (kinds.get(path) === "folder" && open.has(path)) visit(path, level + 1);
    });
  };
  visit("", 0);
  return out;
}

function remove(kinds: Map<string, NodeKind>, path: string): void {
  for (const known of [...kinds.keys()])
    if (known === path || known.startsWith(`${path}/`)) kinds.delete(known);
}

function put(kinds: Map<string, NodeKind>, path: string, kind: NodeKind): void {
  if (kinds.get(path) === kind) return;
  remove(kinds, path);
  const parent = parentOf(path);
  if (parent !== "") put(kinds, parent, "folder");
  kinds.set(path, kind);
}

test("random operations give the rows of a naive model", () => {
  const next = random(3);
  const pick = () => {
    const depth = 1 + Math.floor(next() * 3);
    return Array.from({ length: depth }, () => "abc"[Math.floor(next() * 3)]).join("/");
  };
  for (let round = 0; round < 40; round += 1) {
    const tree = new Tree();
    const kinds = new Map<string, NodeKind>();
    const open = new Set<string>();
    for (let step = 0; step < 60; step += 1) {
      const path = pick();
      const choice = next();
      if (choice < 0.5) {
        const kind: NodeKind = next() < 0.4 ? "folder" : "file";
        tree.put(path, kind);
        put(kinds, path, kind);
      } else if (choice < 0.7) {
        tree.remove(path);
        remove(kinds, path);
      } else {
        const to = next() < 0.8;
        tree.setOpen(path, to);
        if (to) open.add(path);
        else open.delete(path);
      }
      const rows = tree
        .rows()
        .map((row) => `${row.level} ${row.path} ${row.position}/${row.siblings}`);
      expect(rows).toEqual(naive(kinds, open));
      expect(tree.size).toBe(kinds.size);
    }
  }
});

test("a name that differs only in letter case stands in the way, on every level", () => {
  const tree = new Tree();
  for (const path of ["src/Main.py", "README.md"]) tree.put(path, "file");
  expect(tree.inTheWay("src/new.py")).toBeNull();
  expect(tree.inTheWay("src/Main.py")).toBe("src/Main.py");
  expect(tree.inTheWay("src/main.py")).toBe("src/Main.py");
  expect(tree.inTheWay("SRC/new.py")).toBe("src");
  expect(tree.inTheWay("README.md/inside")).toBeNull();
  expect(tree.inTheWay("readme.md", "README.md")).toBeNull();
});

test("folders come first, numbers sort as numbers, lone folders join", () => {
  const tree = new Tree();
  for (const path of ["b.txt", "a10.txt", "a9.txt", "data/raw/2026/x.csv"]) tree.put(path, "file");
  expect(tree.rows().map((row) => row.label)).toEqual([
    "data/raw/2026",
    "a9.txt",
    "a10.txt",
    "b.txt",
  ]);
  tree.reveal("data/raw/2026/x.csv");
  expect(tree.rows()[1]).toMatchObject({ path: "data/raw/2026/x.csv", level: 1 });
});
