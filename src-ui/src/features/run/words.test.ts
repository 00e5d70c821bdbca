/** Runs in words. */
import { expect, test } from "vitest";
import type { Entry } from "../../host/generated/api/Entry";
import type { Run } from "../../host/generated/api/Run";
import { missingPackage, picturesOf, runWords, stopWords, targetOf, wasOutOfMemory } from "./words";

const run = (part: Partial<Run>) =>
  ({ state: "done", target: { kind: "file", path: "main.py" }, revision: 7, ...part }) as Run;

test("every end has its word", () => {
  expect(runWords(run({ exit: { code: 0 } }))).toMatchObject({ tone: "ok", text: "Done" });
  expect(runWords(run({ exit: { code: 3 } })).text).toBe("Exit code 3");
  expect(runWords(run({ exit: { code: 137, reason: "out of memory: 512 MiB" } })).text).toContain(
    "out of memory",
  );
  expect(runWords(run({ exit: { signal: 2 } })).text).toBe("Stopped");
  expect(runWords(run({ exit: { signal: 11 } })).text).toBe("Ended by signal 11");
  expect(runWords(run({ state: "waiting" })).text).toBe("Waits for revision 7");
});

test("a killed program ran out of memory", () => {
  expect(wasOutOfMemory(run({ exit: { code: 137 } }))).toBe(true);
  expect(wasOutOfMemory(run({ exit: { code: 1 } }))).toBe(false);
});

test("a missing module is offered under its package's name", () => {
  expect(missingPackage("ModuleNotFoundError: No module named 'sklearn.svm'")).toEqual({
    module: "sklearn",
    command: "pip install scikit-learn",
  });
  expect(missingPackage("Error: Cannot find module '@scope/x/y'")).toEqual({
    module: "@scope/x",
    command: "npm install @scope/x",
  });
  expect(missingPackage("Error: Cannot find module './local'")).toBeNull();
  expect(missingPackage("fine")).toBeNull();
});

test("only what the server can start is offered", () => {
  expect(targetOf("src/tool.mjs", true)).toEqual({ kind: "file", path: "src/tool.mjs" });
  // TypeScript needs a program that says how; the server starts a file of it only by its first line.
  expect(targetOf("src/tool.ts", true)).toEqual({ kind: "file", path: "main.py" });
  expect(targetOf(null, false)).toBeNull();
});

test("stopping tells how far it has come, by time or by asking again", () => {
  expect(stopWords(0, 60_000)).toEqual({ state: "", next: "Stop" });
  expect(stopWords(1, 100).next).toBe("Terminate now");
  expect(stopWords(1, 5_100)).toEqual({ state: "Terminated, waiting", next: "Kill now" });
  expect(stopWords(2, 0).next).toBe("Kill now");
  expect(stopWords(1, 11_000).state).toBe("Killing");
});

test("pictures are those of files that changed after the run began", () => {
  const entry = (path: string, revision: number, kind = "file") =>
    ({ path, revision, kind, size: 10 }) as Entry;
  const entries = [
    entry("old.png", 7),
    entry("figures/week.png", 9),
    entry("newest.svg", 10),
    entry("data.csv", 9),
    entry("pictures.png", 9, "folder"),
  ];
  const good = run({ exit: { code: 0 } });
  expect(picturesOf(good, entries, 8, Infinity)).toEqual(["newest.svg", "figures/week.png"]);
  expect(picturesOf(good, entries, 8, 9)).toEqual(["figures/week.png"]);
  expect(picturesOf(run({ exit: { code: 137 } }), entries, 8, Infinity)).toEqual([]);
  // Begun elsewhere: what this machine counts says nothing of it.
  expect(picturesOf(good, entries, null, Infinity)).toEqual([]);
  expect(picturesOf(good, entries, 8, null)).toEqual([]);
});
