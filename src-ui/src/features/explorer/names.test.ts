/** Paths: what the server refuses is refused before it is sent, with a sentence. */
import { expect, test } from "vitest";
import { foldKey, isLeftOut, newNameProblem } from "./names";

test("a typed path may make folders, and a taken one is said", () => {
  const taken = (path: string) => (foldKey(path) === "src/main.py" ? "src/main.py" : null);
  expect(newNameProblem("a/b.py", "src", taken)).toBeNull();
  expect(newNameProblem("main.py", "src", taken)).toContain("exists");
  expect(newNameProblem("Main.py", "src", taken)).toContain("letter case");
  expect(newNameProblem("/a", "", taken)).toContain("slashes");
  expect(newNameProblem("a//b", "", taken)).toContain("slashes");
  expect(newNameProblem("a/../b", "", taken)).not.toBeNull();
  expect(newNameProblem("d/".repeat(99).concat("x"), "", taken)).toBeNull();
  expect(newNameProblem("d/".repeat(99).concat("x"), "src", taken)).toContain("folders");
});

test("two spellings of a name share their key", () => {
  expect(foldKey("README")).toBe(foldKey("readme"));
  expect(foldKey("cafe\u0301")).toBe(foldKey("caf\u00e9"));
});

test("what sessions leave out is known by its own name and by the folders above", () => {
  for (const [path, isFolder] of [
    ["node_modules", true],
    ["app/node_modules/x/index.js", false],
    [".git/HEAD", false],
    ["a.pyc", false],
    ["notes.txt~", false],
    ["x/.DS_Store", false],
    ["src/.#main.py", false],
    ["#main.py#", false],
  ] as const)
    expect(isLeftOut(path, isFolder), path).toBe(true);
  for (const [path, isFolder] of [
    ["venv", false],
    ["a.pyc", true],
    ["src/node_modules.md", false],
    ["main.py", false],
    ["#", false],
    ["#notes", false],
  ] as const)
    expect(isLeftOut(path, isFolder), path).toBe(false);
});
