/** How the command box orders what it finds. */
import { expect, test } from "vitest";
import { rank } from "./Palette";

test("everything fits an empty wish, and letters fit wherever they stand", () => {
  expect(rank("Ctrl+P Go to file", "")).toBeGreaterThanOrEqual(0);
  expect(rank("src/deep/harbour.py", "b")).toBeGreaterThanOrEqual(0);
  expect(rank(`${"folder/".repeat(400)}x.py`, "x")).toBeGreaterThanOrEqual(0);
  expect(rank("main.py", "mq")).toBeLessThan(0);
});

test("starts of words and runs come first", () => {
  expect(rank("new terminal", "nt")).toBeGreaterThan(rank("entity", "nt"));
  expect(rank("main.py", "main")).toBeGreaterThan(rank("maximal_indent.py", "main"));
});
