/** What needs the person comes before what goes by itself. */
import { expect, test } from "vitest";
import type { SyncBrief } from "../host/generated/api/SyncBrief";
import { briefWords } from "./syncWords";

const words = (brief: Partial<SyncBrief>) =>
  briefWords({ state: "online", up: 0, down: 0, blocked: 0, conflicts: 0, ...brief }).text;

test("each state has its words, and the worst speaks", () => {
  expect(words({})).toBe("Synced");
  expect(words({ up: 2, down: 1 })).toBe("Syncing 3 files");
  expect(words({ up: 2, blocked: 1 })).toBe("1 file cannot sync");
  expect(words({ blocked: 1, conflicts: 2 })).toBe("2 conflicts");
  expect(words({ state: "offline", up: 3 })).toBe("3 edits wait");
  expect(words({ state: "offline", up: 1 })).toBe("1 edit waits");
  expect(words({ state: "offline" })).toBe("Nothing waits");
  expect(words({ state: "local" })).toBe("Only on this computer");
  expect(words({ state: "refused", reason: "Sign in to sync" })).toBe("Sign in to sync");
  expect(words({ state: "broken", conflicts: 1 })).toBe("The folder cannot be used");
});
