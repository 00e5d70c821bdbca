// Sentences about the list's words.
import { expect, test } from "vitest";
import type { Workspace } from "../../host/generated/api/Workspace";
import { sessionWords, trashWords } from "./words";

const NOW = Date.parse("2026-03-08T12:00:00Z");

test("the trash says when it forgets", () => {
  expect(trashWords("2026-04-07T12:00:00Z", NOW)).toBe("goes in 30 days");
  expect(trashWords("2026-03-09T09:00:00Z", NOW)).toBe("goes tomorrow");
  expect(trashWords("2026-03-08T11:00:00Z", NOW)).toBe("goes today");
});

test("a session is said by icon and word, and an ended one is not worth a word", () => {
  const of = (session: Workspace["session"]) => sessionWords({ session } as Workspace, NOW);
  expect(of(undefined)).toBe(null);
  expect(of({ id: "1", state: "stopped" })).toBe(null);
  expect(of({ id: "1", state: "ready", ready_at: "2026-03-08T10:48:00Z" })?.word).toBe(
    "Running 1 h 12 min",
  );
  expect(of({ id: "1", state: "failed", reason: "Out of memory: 512 MiB" })).toMatchObject({
    tone: "danger",
    word: "Out of memory: 512 MiB",
  });
});
