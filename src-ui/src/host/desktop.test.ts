/** How it stands with the server, as the desktop program tells it. */
import { expect, test } from "vitest";
import { KeptConnection, ToldLine } from "./desktop";
import { isAway, lackHelp, lackOf, lackWords } from "./lack";

test("a first failure is no news, a second one is, and what is online again has forgotten both", () => {
  const connection = new KeptConnection(() => undefined);
  const told: string[] = [];
  connection.watch(({ state }) => told.push(state));
  connection.heard({ told: "connection", state: "connecting" });
  connection.heard({ told: "connection", state: "waiting", next_at: 5_000 });
  expect(isAway(connection.status)).toBe(false);
  connection.heard({ told: "connection", state: "connecting" });
  connection.heard({ told: "connection", state: "waiting", next_at: 9_000 });
  expect(connection.status).toEqual({ state: "waiting", attempt: 2, nextAt: 9_000 });
  expect(isAway(connection.status)).toBe(true);
  connection.heard({ told: "connection", state: "online" });
  connection.heard({ told: "connection", state: "waiting", next_at: 12_000 });
  expect(isAway(connection.status)).toBe(false);
  expect(told).toEqual(["connecting", "waiting", "connecting", "waiting", "online", "waiting"]);
});

test("without an account nothing is broken, and it is said what is lacking", () => {
  const connection = new KeptConnection(() => undefined);
  connection.heard({ told: "connection", state: "idle" });
  expect(connection.status).toEqual({ state: "signed-out" });
  expect(isAway(connection.status)).toBe(false);
  expect(lackWords(connection.status)).toBe("Signed out");
  expect(lackOf(connection.status)).toBe("Nobody is signed in to a server");
});

test("what answers and is no server is said to be that, and what helps", () => {
  const connection = new KeptConnection(() => undefined);
  connection.heard({ told: "connection", state: "not_slipway", next_at: 5_000 });
  const { status } = connection;
  expect(status).toEqual({ state: "not-slipway", nextAt: 5_000 });
  expect(isAway(status)).toBe(true);
  expect(lackOf(status)).toBe("What answers at the server's address is no Slipway server");
  expect(lackHelp(status)).toContain("check the address");
  expect(lackWords(status)).toBe("No Slipway server answers");
});

test("what is told before anybody listens is heard by the first who does, once", () => {
  const line = new ToldLine();
  const heard: string[] = [];
  line.hear({ told: "show", address: "/w/1" });
  const stop = line.listen((told) => heard.push(`first ${told.told}`));
  line.listen((told) => heard.push(`second ${told.told}`));
  line.hear({ told: "workspaces" });
  stop();
  line.hear({ told: "account" });
  expect(heard).toEqual(["first show", "first workspaces", "second workspaces", "second account"]);
});
