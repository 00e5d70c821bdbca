/** Why a session ended, and the curve that explains it. */
import { expect, test } from "vitest";
import { curveOf, MemoryHistory } from "./memory";
import { diagnostics, endWords, safeWords } from "./words";

const MIB = 1024 * 1024;

test("every end has a cause in words", () => {
  expect(
    endWords({
      state: "failed",
      ready_at: "2026-01-01T12:00:00Z",
      reason: { code: "out_of_memory", text: "Out of memory: 512 MiB" },
    }),
  ).toMatchObject({ tone: "danger", title: "Session stopped: out of memory" });
  expect(endWords({ state: "failed", reason: { code: "start_failed", text: "x" } }).title).toBe(
    "The session did not start",
  );
  expect(endWords({ state: "stopped" })).toMatchObject({
    tone: "faint",
    title: "Session stopped",
    text: "You stopped it.",
  });
  expect(
    endWords({ state: "stopped", reason: { code: "idle_stop", text: "Nothing happened." } }),
  ).toMatchObject({ tone: "faint", text: "Nothing happened." });
});

test("diagnostics hold no protections, files or outputs", () => {
  const text = diagnostics({
    id: "s",
    state: "failed",
    stages: [],
    created_at: "2026-01-01T12:00:00Z",
    protections: [{ name: "user namespace", active: true, detail: "" }],
  } as never);
  expect(Object.keys(JSON.parse(text))).toEqual(["session", "state", "stages", "created_at"]);
});

test("memory is remembered for one session, and shown only where it has a shape", () => {
  const memory = new MemoryHistory();
  for (let at = 0; at < 5; at += 1) memory.heard("s1", at * MIB, 512 * MIB, at * 2_000);
  expect(curveOf(memory.store.getState(), "s1", 0, Infinity)).toHaveLength(5);
  expect(curveOf(memory.store.getState(), "s1", 2_000, 7_000)).toHaveLength(3);
  expect(curveOf(memory.store.getState(), "s1", 6_000, Infinity)).toEqual([]);
  expect(curveOf(memory.store.getState(), "s2", 0, Infinity)).toEqual([]);
  // The end frees everything; the way to it is what is shown.
  memory.heard("s1", 0, 512 * MIB, 10_000);
  expect(curveOf(memory.store.getState(), "s1", 0, Infinity).at(-1)?.bytes).toBe(4 * MIB);
  memory.heard("s2", MIB, 512 * MIB, 20_000);
  expect(memory.store.getState().samples).toHaveLength(1);
});

test("files are said to be on the server only when they are", () => {
  const sync = { revision: 41, up: 0, blocked: 0 };
  expect(safeWords(12, sync)).toBe("Your files are safe: all 12 are on the server at revision 41.");
  expect(safeWords(12, { ...sync, up: 1 })).toBe(
    "Your files are safe: all 12 are on this computer; 1 change is not on the server yet.",
  );
  expect(safeWords(12, { ...sync, blocked: 2 })).toContain("2 changes are not on the server yet");
  expect(safeWords(12, null)).toBe("Your files are safe: all 12 are on this computer.");
});
