/** What needs the person comes before what goes by itself. */
import { expect, test } from "vitest";
import type { SyncBrief } from "../host/generated/api/SyncBrief";
import { briefWords, bytesWords, listedWords } from "./syncWords";

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
  const unopened = { state: "offline" as const, up: 0, down: 0, blocked: 0, conflicts: 0 };
  expect(listedWords(unopened).text).toBe("Not connected");
  expect(listedWords({ ...unopened, up: 2 }).text).toBe("2 edits wait");
  expect(words({ state: "local" })).toBe("Only on this computer");
  expect(words({ state: "refused", code: "sign_in_expired" })).toBe("Sign in to sync");
  expect(words({ state: "refused", code: "workspace_inactive" })).toBe("Archived or in the trash");
  expect(words({ state: "refused", reason: "A long one." })).toBe("The server refuses");
  expect(words({ state: "broken", conflicts: 1 })).toBe("The folder is gone");
});

test("a long bout tells how far it has come", () => {
  const brief = { state: "online" as const, up: 18_796, down: 0, blocked: 0, conflicts: 0 };
  const work = { files: 20_000, filesDone: 1_204, bytes: 1_000_000_000, bytesDone: 340_000_000 };
  expect(briefWords(brief, work).text).toBe("Syncing 1\u2009204 of 20\u2009000 files");
  expect(briefWords(brief, { ...work, filesDone: 0 }).text).toBe("Syncing 18\u2009796 files");
  expect(bytesWords(work)).toBe("340.0 MB of 1.00 GB");
  expect(bytesWords({ ...work, bytes: 4_000, bytesDone: 0 })).toBe("");
});
