/** How the command box orders what it finds. */
import { expect, test } from "vitest";
import { fitPath, fitText } from "./fuzzy";

const scores = (wanted: string, ...paths: string[]) =>
  paths
    .map((path) => ({ path, score: fitPath(path, wanted)?.score ?? -1 }))
    .sort((a, b) => b.score - a.score)
    .map((one) => one.path);

test("a path is found by its path", () => {
  expect(fitPath("src/main.py", "src/main.py")).not.toBeNull();
  expect(fitPath("src/main.py", "src/m")).not.toBeNull();
  expect(fitPath("src/main.py", "s/mp")?.marks.flat().length).toBeGreaterThan(0);
  expect(fitPath("data/raw/brest.csv", "src/m")).toBeNull();
});

test("names come before folders, starts before middles, words before scattered letters", () => {
  expect(scores("main", "main/other.py", "src/domain.py", "src/main.py")).toEqual([
    "src/main.py",
    "src/domain.py",
    "main/other.py",
  ]);
  expect(scores("sta", "tests/test_stations.py", "src/stations.py")[0]).toBe("src/stations.py");
  expect(scores("tm", "src/atom.py", "src/tide_model.py")[0]).toBe("src/tide_model.py");
});

test("letters are taken where words start, not where they first occur", () => {
  expect(fitText("New terminal", "nt")?.marks).toEqual([
    [0, 1],
    [4, 5],
  ]);
  expect(fitText("Restart session", "sta")?.marks).toEqual([[2, 5]]);
});

test("all words must be found, in any order", () => {
  expect(fitText("Restart session", "session re")).not.toBeNull();
  expect(fitText("Restart session", "session x")).toBeNull();
  expect(fitText("anything", "")).toEqual({ score: 0, marks: [] });
});

test("long paths with many false starts are found", () => {
  const path = `${"folder/".repeat(400)}x.py`;
  expect(fitPath(path, "fx")).not.toBeNull();
  expect(fitPath(path, "fxq")).toBeNull();
});
