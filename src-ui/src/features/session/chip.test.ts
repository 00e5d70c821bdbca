/** The chip's five states, exactly as drawn. */
import { expect, test } from "vitest";
import type { ConnectionStatus } from "../../host/connection";
import type { LiveState } from "../../host/live";
import { chipOf, type SessionFacts, sightOf } from "./chip";

const T = Date.parse("2026-01-01T12:00:00Z");
const session = (facts: Partial<SessionFacts>): SessionFacts => ({
  state: "ready",
  created_at: new Date(T).toISOString(),
  ready_at: new Date(T).toISOString(),
  stages: [],
  ...facts,
});
const usage = (memory: number, stop = 0) => ({
  memoryBytes: memory * 1024 * 1024,
  memoryLimitBytes: 512 * 1024 * 1024,
  cpuMillis: 170,
  idleStopUnixMs: stop,
});

test("no session", () => {
  expect(chipOf(null, null, T, 500)).toMatchObject({
    tone: "none",
    word: "No session",
    status: "No session",
  });
  expect(chipOf(session({ state: "stopped" }), null, T, 500).word).toBe("No session");
});

test("starting counts tenths and names the files", () => {
  const facts = session({
    state: "provisioning",
    stages: [{ name: "files", detail: "163 of 214" }],
  });
  expect(chipOf(facts, null, T + 900, 500)).toMatchObject({
    tone: "busy",
    word: "Starting",
    detail: "0.9 s",
    status: "Starting 0.9 s · files 163 of 214",
  });
});

test("running shows memory and CPU, and warns from 90 percent", () => {
  const chip = chipOf(session({}), usage(212), T + 12 * 60_000, 500);
  expect(chip).toMatchObject({ tone: "ok", word: "Session", detail: "12 min", tight: false });
  expect([chip.status, chip.memory, chip.cpu]).toEqual([
    "Running 12 min",
    "212 of 512 MiB",
    "CPU 34 %",
  ]);
  expect(chipOf(session({}), usage(461), T, 500).tight).toBe(true);
});

test("an idle stop is counted down", () => {
  expect(chipOf(session({ state: "idle" }), usage(1, T + 118_000), T, 500)).toMatchObject({
    tone: "warn",
    word: "Stops in 1:58",
    status: "Idle, stops in 1:58",
  });
});

test("a fault stays until the next start", () => {
  const facts = session({
    state: "failed",
    reason: { code: "out_of_memory", text: "Out of memory: 512 MiB" },
  });
  expect(chipOf(facts, null, T, 500)).toMatchObject({
    tone: "danger",
    word: "Stopped",
    detail: "out of memory",
    status: "Stopped: out of memory",
  });
});

test("what is not told is not known", () => {
  const chip = chipOf(null, null, T, 500, "unknown");
  expect(chip).toMatchObject({ detail: "unknown", memory: "", cpu: "" });
  expect(chip.status).toBe("Session: unknown");
});

test("what was last seen has neither age nor load", () => {
  expect(chipOf(session({}), usage(212), T + 60_000, 500, "seen")).toMatchObject({
    tone: "none",
    word: "Was running",
    detail: "as last seen",
    status: "Was running, as last seen",
    memory: "",
    cpu: "",
  });
});

test("the server's silence makes what is known old, its first reconnecting does not", () => {
  const sight = (sessionTold: boolean, connection: ConnectionStatus) =>
    sightOf({ sessionTold, connection } as LiveState);
  expect(sight(false, { state: "online" })).toBe("unknown");
  expect(sight(true, { state: "online" })).toBe("live");
  expect(sight(true, { state: "waiting", attempt: 1, nextAt: 0 })).toBe("live");
  expect(sight(true, { state: "connecting", attempt: 2 })).toBe("seen");
  expect(sight(true, { state: "no-database", nextAt: 0 })).toBe("seen");
});
