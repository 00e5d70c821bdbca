/** A bout of sync: what was left and is not any more is done, and what comes to it makes it longer. */
import { expect, test } from "vitest";
import type { Sync } from "./generated/api/Sync";
import { type Work, workAfter } from "./work";

const sync = (up: number, upBytes: number, more: Partial<Sync> = {}): Sync => ({
  state: "online",
  revision: 1,
  up,
  up_bytes: upBytes,
  down: 0,
  down_bytes: 0,
  blocked: 0,
  conflicts: 0,
  paths: [],
  notices: [],
  arrivals: [],
  partly_watched: false,
  odd: [],
  ...more,
});

test("files and bytes that are left no more are done", () => {
  const looks = [sync(3, 900), sync(2, 500), sync(1, 500), sync(0, 0)];
  const seen: (Work | null)[] = [];
  for (const look of looks) seen.push(workAfter(seen.at(-1) ?? null, look));
  expect(seen).toEqual([
    { files: 3, filesDone: 0, bytes: 900, bytesDone: 0 },
    { files: 3, filesDone: 1, bytes: 900, bytesDone: 400 },
    { files: 3, filesDone: 2, bytes: 900, bytesDone: 400 },
    null,
  ]);
});

test("what comes to a bout makes it longer and undoes nothing", () => {
  const begun = workAfter(workAfter(null, sync(2, 200)), sync(1, 100));
  expect(workAfter(begun, sync(4, 700, { down: 1, down_bytes: 50 }))).toEqual({
    files: 6,
    filesDone: 1,
    bytes: 850,
    bytesDone: 100,
  });
});

test("where no server knows the files there is nothing to be done", () => {
  expect(workAfter(null, sync(9, 900, { state: "local" }))).toBeNull();
});
