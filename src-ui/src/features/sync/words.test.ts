/** What a person reads of sync says first what is safe. */
import { expect, test } from "vitest";
import type { Code } from "../../host/generated/api/Code";
import type { Conflict } from "../../host/generated/api/Conflict";
import type { Sync } from "../../host/generated/api/Sync";
import type { SyncNotice } from "../../host/generated/api/SyncNotice";
import { conflictWords, helpOf, newsIn, standWords, undoneWords } from "./words";

const sync = (part: Partial<Sync>) => standWords({ state: "online", ...part } as Sync);
const conflict = (part: Partial<Conflict>) =>
  conflictWords({ base: true, mine: "file", theirs: "file", ...part } as Conflict);

test("every state says that nothing is lost", () => {
  expect(sync({ state: "offline" })).toContain("saved on this computer");
  expect(sync({ state: "refused", code: "sign_in_required" })).toContain("saved on this computer");
  expect(sync({ state: "broken" })).toContain("Nothing is changed");
  expect(sync({ state: "local" })).toContain("nowhere else");
  expect(sync({})).toBe("Changes go both ways.");
});

test("a conflict says what happened on the other side", () => {
  expect(conflict({})).toBe("changed on both sides");
  expect(conflict({ base: false })).toBe("choose one of two");
  expect(conflictWords({ base: true, mine: "file" } as Conflict)).toBe("deleted on the server");
  expect(conflict({ mine: "folder" })).toBe("a folder here, a file on the server");
});

test("what cannot move has the act that helps, where there is one", () => {
  expect(helpOf("path_case_clash")?.act).toBe("rename");
  expect(helpOf("file_too_large")?.act).toBe("leaveOut");
  // It is tried again by itself.
  expect(helpOf("disk_full")).toBeNull();
  expect(helpOf("stale")).toBeNull();
  expect(helpOf(undefined)).toBeNull();
});

test("an undo tells of what it left alone", () => {
  expect(undoneWords({ many: 1, left: [] })).toBe("1 file is as before.");
  const left = (...codes: Code[]) => codes.map((code, at) => ({ path: `${at}`, code }));
  expect(undoneWords({ many: 3, left: left("stale", "path_exists") })).toBe(
    "3 files and folders are as before. 2 were changed since and not touched.",
  );
  // Nobody changed these.
  expect(undoneWords({ many: 0, left: left("disk_full", "stale", "content_missing") })).toBe(
    "Nothing was taken back. 1 stays as it is: the disk is full. 1 was changed since and not touched. 1 stays as it is: what was there before is not kept any more.",
  );
});

test("what was told and is seen nowhere else is news once", () => {
  const told = (message: string, more: Partial<SyncNotice> = {}): SyncNotice => ({
    at: `2026-03-01T00:00:0${message.length}Z`,
    code: "run_not_saved",
    message,
    ...more,
  });
  const of = (...notices: SyncNotice[]) => ({ notices }) as Sync;
  const [old, run] = [told("a"), told("aa")];
  const merged = told("aaa", { code: "edits_merged", path: "x.py" });
  const deleted = told("aaaa", { code: "many_deleted" });
  // What was there when the workspace was opened is no news.
  expect(newsIn(of(run, old), null)).toEqual([]);
  expect(newsIn(of(deleted, merged, run, old), of(old))).toEqual([run]);
  expect(newsIn(of(run), of())).toEqual([run]);
  expect(newsIn(of(run, old), of(run, old))).toEqual([]);
  // One that is so no longer goes.
  expect(newsIn(of(run, old), of(deleted, run, old))).toEqual([]);
});
