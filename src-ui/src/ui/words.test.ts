/** Figures in words. */
import { expect, test } from "vitest";
import { size } from "./words";

test("sizes have the unit that fits", () => {
  expect([0, 999, 1000, 4_140, 41_000, 999_499, 999_500, 1_234_000].map(size)).toEqual([
    "0 B",
    "999 B",
    "1.0 KB",
    "4.1 KB",
    "41 KB",
    "999 KB",
    "1.0 MB",
    "1.2 MB",
  ]);
});
