// Sentences about the list's words.
import { expect, test } from "vitest";
import { ago, size } from "./words";

test("times are told in the largest unit that fits", () => {
  const now = Date.parse("2026-03-08T12:00:00Z");
  expect(ago("2026-03-08T11:59:40Z", now)).toBe("now");
  expect(ago("2026-03-08T11:15:00Z", now)).toBe("45 min ago");
  expect(ago("2026-03-07T12:00:00Z", now)).toBe("24 h ago");
  expect(ago("2026-03-01T12:00:00Z", now)).toBe("7 days ago");
});

test("sizes have a unit", () => {
  expect([size(12), size(2048), size(5 << 20)]).toEqual(["12 B", "2.0 KB", "5.0 MB"]);
});
