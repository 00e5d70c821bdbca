/** Pasting: nothing that acts by itself gets in. */
import { expect, test } from "vitest";
import { binaryBytes, cleanPaste, typedBytes } from "./paste";

test("escape, C1 and NUL are removed, tabs and text stay", () => {
  expect(cleanPaste("a\u001b[201~\u0000b\u009b1m\tç").text).toBe("a[201~b1m\tç");
});

test("line ends become returns, and lines are counted as they would run", () => {
  expect(cleanPaste("one\r\ntwo\nthree\n")).toEqual({ text: "one\rtwo\rthree\r", lines: 3 });
  expect(cleanPaste("ls\n").lines).toBe(1);
});

test("bytes end to end", () => {
  expect([...typedBytes("é")]).toEqual([0xc3, 0xa9]);
  expect([...binaryBytes("\u00ff\u0001")]).toEqual([255, 1]);
});
