/** What the status bar says. */
import { expect, test } from "vitest";
import { connectionWords, syncWords } from "./statusWords";

test("a lost connection says when it is tried again", () => {
  expect(connectionWords({ state: "online" }, 0).text).toBe("Online");
  expect(connectionWords({ state: "waiting", attempt: 1, nextAt: 3_200 }, 0).text).toBe(
    "Reconnecting in 4 s",
  );
  expect(connectionWords({ state: "waiting", attempt: 4, nextAt: 12_000 }, 0)).toEqual({
    text: "Offline – edits are kept",
    next: "next try in 12 s",
  });
  expect(connectionWords({ state: "no-database", nextAt: 3_000 }, 0)).toEqual({
    text: "Server has no database – edits are kept",
    next: "next try in 3 s",
  });
  expect(connectionWords({ state: "not-slipway", nextAt: 5_000 }, 0)).toEqual({
    text: "No Slipway server answers – edits are kept",
    next: "next try in 5 s",
  });
  // Words that came stay while it is tried.
  expect(connectionWords({ state: "connecting", attempt: 4 }, 0).text).toBe(
    "Offline – edits are kept",
  );
});

test("the worst state of all files is told, and a conflict names its file", () => {
  expect(syncWords(new Map()).text).toBe("Synced");
  expect(syncWords(new Map([["a", "saving"]])).text).toBe("Saving");
  expect(syncWords(new Map([["a", "waiting"]])).text).toBe("1 edit waiting");
  const both = syncWords(
    new Map([
      ["a", "waiting"],
      ["b", "conflict"],
    ]),
  );
  expect(both).toMatchObject({ text: "1 conflict", paths: ["b"] });
});

test("a try that is due is under way", () => {
  const waiting = (attempt: number) =>
    connectionWords({ state: "waiting", attempt, nextAt: 1_000 }, 5_000);
  expect(waiting(1).text).toBe("Reconnecting");
  expect(waiting(2).next).toBe("trying");
});
