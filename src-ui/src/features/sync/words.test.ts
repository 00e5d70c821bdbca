/** What a person reads of sync says first what is safe. */
import { expect, test } from "vitest";
import type { Conflict } from "../../host/generated/api/Conflict";
import type { Sync } from "../../host/generated/api/Sync";
import { conflictWords, helpOf, standWords, undoneWords } from "./words";

const sync = (part: Partial<Sync>) => standWords({ state: "online", ...part } as Sync);
const conflict = (part: Partial<Conflict>) =>
  conflictWords({ kind: "file", base: true, mine: "m", theirs: "t", ...part } as Conflict);

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
  const { theirs: _theirs, ...gone } = { kind: "file", base: true, mine: "m", theirs: "t" };
  expect(conflictWords(gone as Conflict)).toBe("deleted on the server");
});

test("what cannot move has the act that helps, where there is one", () => {
  expect(helpOf("path_case_clash")?.act).toBe("rename");
  expect(helpOf("disk_full")?.label).toBe("Try again");
  expect(helpOf("stale")).toBeNull();
  expect(helpOf(undefined)).toBeNull();
});

test("an undo tells of what it left alone", () => {
  expect(undoneWords({ many: 1, left: [] })).toBe("1 file is as before.");
  expect(undoneWords({ many: 3, left: ["a", "b"] })).toBe(
    "3 files are as before. 2 files were changed since and stay as they are.",
  );
});
