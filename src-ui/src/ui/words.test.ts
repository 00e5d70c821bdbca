/** Times and figures in words. */
import { expect, test } from "vitest";
import { ago, clock, count, duration, size, span } from "./words";

const NOW = Date.parse("2026-03-08T12:00:00Z");

test("times are told in the largest unit that fits", () => {
  expect(ago("2026-03-08T11:59:40Z", NOW)).toBe("now");
  expect(ago("2026-03-08T11:15:00Z", NOW)).toBe("45 min ago");
  expect(ago("2026-03-07T18:00:00Z", NOW)).toBe("18 h ago");
  expect(ago("2026-03-07T12:00:00Z", NOW)).toBe("yesterday");
  expect(ago("2026-03-01T12:00:00Z", NOW)).toBe("7 days ago");
});

test("thousands stand apart", () => {
  expect([count(7), count(1481), count(2000000)]).toEqual([
    "7",
    "1\u2009481",
    "2\u2009000\u2009000",
  ]);
});

test("sizes have the unit that fits", () => {
  expect(
    [0, 999, 1000, 4_140, 41_000, 999_499, 999_500, 1_234_000, 1_073_741_824].map(size),
  ).toEqual(["0 B", "999 B", "1.0 KB", "4.1 KB", "41 KB", "999 KB", "1.0 MB", "1.2 MB", "1.07 GB"]);
});

test("spans have units", () => {
  expect([duration(8), duration(640), duration(1900), duration(61_000)]).toEqual([
    "8 ms",
    "640 ms",
    "1.9 s",
    "1 min 1 s",
  ]);
  expect([span(30_000), span(7_500_000)]).toEqual(["30 s", "2 h 5 min"]);
  expect(clock(118_000)).toBe("1:58");
});
