/** The connection: what the socket says, unless answers say that the server has no database. */
import { expect, test } from "vitest";
import { type ConnectionStatus, DialedConnection } from "./connection";
import { ExchangeError } from "./exchange";
import type { SocketStatus } from "./socket";

type Server = "whole" | "no database" | "away";

function scene() {
  const state = { server: "whole" as Server, now: 1_000, asked: 0, retried: 0 };
  const timers = new Set<() => void>();
  const sockets = new Set<(status: SocketStatus) => void>();
  const socket = {
    status: { state: "online" } as SocketStatus,
    watch: (listener: (status: SocketStatus) => void) => {
      sockets.add(listener);
      return () => sockets.delete(listener);
    },
    retry: () => {
      state.retried += 1;
    },
  };
  const after = (_ms: number, run: () => void) => {
    timers.add(run);
    return () => void timers.delete(run);
  };
  const world = { now: () => state.now, random: () => 0.5, after };
  const connection = new DialedConnection(world, socket, async () => {
    state.asked += 1;
    if (state.server === "whole") return new Response("ok");
    if (state.server === "away") throw new ExchangeError("network", "No answer.", 0);
    throw new ExchangeError("database_unavailable", "Try again.", 503, undefined, 2);
  });
  const told: ConnectionStatus["state"][] = [];
  connection.watch((status) => told.push(status.state));
  return {
    state,
    connection,
    told,
    timers,
    ask: () => connection.exchange("PUT", "/file").catch(() => null),
    become(status: SocketStatus) {
      socket.status = status;
      for (const listener of sockets) listener(status);
    },
    /** Its time has come. */
    fire() {
      const [run] = timers;
      if (run) timers.delete(run);
      run?.();
    },
  };
}

test("a server without a database is not online, is asked again as it wishes, and online once it has one", async () => {
  const { state, connection, told, timers, ask, fire } = scene();
  expect(connection.status).toEqual({ state: "online" });
  state.server = "no database";
  await ask();
  expect(connection.status).toEqual({ state: "no-database", nextAt: 4_000 });
  expect(connection.status).toBe(connection.status);
  state.now = 4_000;
  fire();
  await expect.poll(() => connection.status).toEqual({ state: "no-database", nextAt: 7_000 });
  state.server = "whole";
  fire();
  await expect.poll(() => connection.status).toEqual({ state: "online" });
  expect(told).toEqual(["no-database", "no-database", "online"]);
  expect(state).toMatchObject({ asked: 3, retried: 1 });
  expect(timers.size).toBe(0);
});

test("any answer tells that the database is back, without being asked for", async () => {
  const { state, connection, timers, ask } = scene();
  state.server = "no database";
  await ask();
  await ask();
  expect(timers.size).toBe(1);
  state.server = "whole";
  await ask();
  expect(connection.status).toEqual({ state: "online" });
  expect(timers.size).toBe(0);
});

test("the person's wish asks at once", async () => {
  const { state, connection, ask } = scene();
  state.server = "no database";
  await ask();
  state.server = "whole";
  connection.retry();
  await expect.poll(() => connection.status).toEqual({ state: "online" });
});

test("a socket that is refused meanwhile changes nothing, and a server that is gone is the socket's to tell", async () => {
  const { state, connection, told, ask, become } = scene();
  state.server = "no database";
  await ask();
  become({ state: "waiting", attempt: 2, nextAt: 9_000 });
  expect(connection.status.state).toBe("no-database");
  state.server = "away";
  await ask();
  expect(connection.status).toEqual({ state: "waiting", attempt: 2, nextAt: 9_000 });
  expect(told).toEqual(["no-database", "waiting"]);
});
