/** What a screen reader is told of: each thing once, and nothing that was so before. */
import { expect, test } from "vitest";
import type { ConnectionStatus } from "../host/connection";
import type { Run } from "../host/generated/api/Run";
import { newsOf } from "./saidWords";

const ONLINE: ConnectionStatus = { state: "online" };
const run = (part: Partial<Run>) =>
  ({ id: "r1", state: "running", target: { kind: "file", path: "main.py" }, ...part }) as Run;
const heard = (runs: Run[], connection: ConnectionStatus = ONLINE, runsTold = true) => ({
  runs,
  connection,
  runsTold,
});

test("a run is told of as it waits, runs and ends", () => {
  const queued = run({ state: "queued" });
  expect(newsOf(heard([queued]), heard([]), true)).toBe(
    "main.py is queued until the server is back.",
  );
  expect(newsOf(heard([run({})]), heard([queued]), false)).toBe("main.py runs.");
  const flushing = run({ state: "flushing" });
  expect(newsOf(heard([flushing]), heard([run({})]), false)).toBe("");
  const end = (part: Partial<Run>) =>
    newsOf(heard([run({ state: "done", ...part })]), heard([flushing]), false);
  expect(end({ exit: { code: 0 }, duration_ms: 1_900 } as Partial<Run>)).toMatch(
    /^main\.py is done, 1\.9\s+s\.$/,
  );
  expect(end({ exit: { code: 3 } } as Partial<Run>)).toBe("main.py ended with exit code 3.");
  expect(end({ exit: { signal: 2 } } as Partial<Run>)).toBe("main.py was stopped.");
});

test("runs that are listed first are no news, and neither is what did not change", () => {
  expect(newsOf(heard([run({})]), heard([], ONLINE, false), false)).toBe("");
  const old = heard([run({})]);
  expect(newsOf(heard([run({})]), old, false)).toBe("");
});

test("the server goes and comes back, and a first try is no news", () => {
  const trying = (attempt: number): ConnectionStatus => ({ state: "waiting", attempt, nextAt: 0 });
  const told = (now: ConnectionStatus, before: ConnectionStatus) =>
    newsOf(heard([], now), heard([], before), false);
  expect(told(trying(1), ONLINE)).toBe("");
  expect(told(trying(2), trying(1))).toBe("The server is away. What you write is kept here.");
  expect(told(trying(3), trying(2))).toBe("");
  expect(told(ONLINE, trying(3))).toBe("The server is back.");
});
