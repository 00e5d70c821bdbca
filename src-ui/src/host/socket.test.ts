/** The one socket: it comes back, notices silence, and moves before it is cut off. */
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import {
  CloseStreamSchema,
  GoAwaySchema,
  PingSchema,
  PongSchema,
  SubscribeEventsSchema,
  type WsClient,
  WsClientSchema,
  type WsServer,
  WsServerSchema,
} from "./generated/slipway/v1/ws_pb";
import { Socket, type SocketWorld, type StreamUser, type Wire } from "./socket";

class FakeWire implements Wire {
  binaryType = "";
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: ((event: { code: number }) => void) | null = null;
  onerror: (() => void) | null = null;
  sent: WsClient[] = [];
  closed = false;
  send(data: Uint8Array<ArrayBuffer>) {
    this.sent.push(fromBinary(WsClientSchema, data));
  }
  close() {
    this.closed = true;
    this.onclose?.({ code: 1000 });
  }
  tell(stream: number, body: WsServer["body"]) {
    this.onmessage?.({
      data: toBinary(WsServerSchema, create(WsServerSchema, { stream, body })).slice().buffer,
    });
  }
}

function setUp(chance: () => number = () => 1) {
  const wires: FakeWire[] = [];
  let timers: { at: number; run: () => void }[] = [];
  const clock = { time: 0 };
  const world: SocketWorld = {
    dial: () => {
      const wire = new FakeWire();
      wires.push(wire);
      return wire;
    },
    now: () => clock.time,
    random: chance,
    after: (ms, run) => {
      const timer = { at: clock.time + ms, run };
      timers.push(timer);
      return () => {
        timers = timers.filter((one) => one !== timer);
      };
    },
  };
  const advance = (ms: number) => {
    const end = clock.time + ms;
    for (;;) {
      const due = timers.filter((one) => one.at <= end).sort((a, b) => a.at - b.at)[0];
      if (!due) break;
      timers = timers.filter((one) => one !== due);
      clock.time = Math.max(clock.time, due.at);
      due.run();
    }
    clock.time = end;
  };
  const socket = new Socket(world);
  const seen: string[] = [];
  const user: StreamUser = {
    first: () => ({
      case: "subscribe",
      value: create(SubscribeEventsSchema, { workspaceId: "w" }),
    }),
    frame: (body) => seen.push(`frame ${body.case}`),
    closed: (code) => seen.push(`closed ${code}`),
    lost: () => seen.push("lost"),
  };
  return { socket, wires, advance, clock, user, seen };
}

test("delays double from a quarter of a second to fifteen", () => {
  const { socket, wires, advance } = setUp();
  socket.start();
  const delays: number[] = [];
  for (let round = 0; round < 9; round += 1) {
    wires.at(-1)?.onclose?.({ code: 1006 });
    const status = socket.status;
    if (status.state !== "waiting") throw new Error("not waiting");
    const count = wires.length;
    const wait = [250, 500, 1000, 2000, 4000, 8000, 15000, 15000, 15000][round] as number;
    advance(wait - 1);
    expect(wires.length).toBe(count);
    advance(1);
    expect(wires.length).toBe(count + 1);
    delays.push(wait);
  }
  expect(delays.at(-1)).toBe(15_000);
});

test("streams join again on every connection, and closing one is told", () => {
  const { socket, wires, advance, user, seen } = setUp();
  socket.start();
  const stream = socket.open(user);
  wires[0]?.onopen?.();
  expect(wires[0]?.sent.map((one) => one.body.case)).toEqual(["subscribe"]);
  wires[0]?.onclose?.({ code: 1006 });
  expect(seen).toEqual(["lost"]);
  advance(300);
  wires[1]?.onopen?.();
  expect(wires[1]?.sent.map((one) => one.body.case)).toEqual(["subscribe"]);
  stream.close();
  expect(wires[1]?.sent.map((one) => one.body.case)).toEqual(["subscribe", "close"]);
  expect(create(CloseStreamSchema, {})).toBeDefined();
});

test("silence is pinged, and an unanswered ping ends the connection", () => {
  const { socket, wires, advance, clock } = setUp();
  socket.start();
  wires[0]?.onopen?.();
  advance(17_000);
  expect(wires[0]?.sent.at(-1)?.body.case).toBe("ping");
  wires[0]?.tell(0, { case: "pong", value: create(PongSchema, { nonce: 1n }) });
  advance(10_000);
  expect(socket.status.state).toBe("online");
  advance(20_000);
  expect(socket.status.state).not.toBe("online");
  expect(clock.time).toBeGreaterThan(0);
  expect(create(PingSchema, {})).toBeDefined();
});

test("after sleep the connection is asked at once", () => {
  const { socket, wires, advance, clock } = setUp();
  socket.start();
  wires[0]?.onopen?.();
  clock.time += 3_600_000;
  advance(1);
  expect(wires[0]?.sent.at(-1)?.body.case).toBe("ping");
  advance(2_300);
  expect(wires.length).toBe(2);
});

test("on go-away the new connection comes before the old one ends", () => {
  const { socket, wires, advance, user, seen } = setUp();
  socket.start();
  socket.open(user);
  wires[0]?.onopen?.();
  wires[0]?.tell(0, {
    case: "goAway",
    value: create(GoAwaySchema, { afterMs: 100 }),
  });
  expect(wires.length).toBe(1);
  advance(100);
  expect(wires.length).toBe(2);
  expect(wires[0]?.closed).toBe(false);
  expect(socket.status.state).toBe("online");
  wires[1]?.onopen?.();
  expect(wires[1]?.sent.map((one) => one.body.case)).toEqual(["subscribe"]);
  expect(wires[0]?.closed).toBe(true);
  expect(seen).toEqual([]);
  expect(socket.status.state).toBe("online");
});

test("delays are spread by chance over the upper half of their span", () => {
  const chances = [0, 0.25, 0.5, 1];
  let turn = 0;
  const { socket, wires, advance } = setUp(() => chances[turn++ % chances.length] as number);
  socket.start();
  const delays = chances.map(() => {
    wires.at(-1)?.onclose?.({ code: 1006 });
    const { status } = socket;
    if (status.state !== "waiting") throw new Error("not waiting");
    const before = status.nextAt;
    const count = wires.length;
    let waited = 0;
    while (wires.length === count) {
      advance(1);
      waited += 1;
    }
    expect(before).toBeGreaterThan(0);
    return waited;
  });
  expect(delays).toEqual([125, 313, 750, 2000]);
});

function close(code: string): WsServer["body"] {
  return {
    case: "closed",
    value: { $typeName: "slipway.v1.StreamClosed", code, message: "Over." },
  };
}

function numbers(wire: FakeWire | undefined): number[] {
  return wire?.sent.filter((one) => one.body.case === "subscribe").map((one) => one.stream) ?? [];
}

test("a stream that the server ends for good does not come back", () => {
  const { socket, wires, advance, user, seen } = setUp();
  socket.start();
  socket.open(user);
  wires[0]?.onopen?.();
  wires[0]?.tell(numbers(wires[0])[0] ?? 0, close("not_found"));
  expect(seen).toEqual(["closed not_found"]);
  advance(60_000);
  expect(numbers(wires[0])).toHaveLength(1);
  wires.at(-1)?.onclose?.({ code: 1006 });
  advance(300);
  wires.at(-1)?.onopen?.();
  expect(wires.at(-1)?.sent).toEqual([]);
});

for (const code of ["", "internal", "session_unreachable"])
  test(`a stream that the server ends with "${code}" is asked for again, ever more patiently`, () => {
    const { socket, wires, advance, user, seen } = setUp();
    socket.start();
    socket.open(user);
    const wire = wires[0];
    wire?.onopen?.();
    for (const [round, wait] of [250, 500, 1000].entries()) {
      wire?.tell(numbers(wire).at(-1) ?? 0, close(code));
      advance(wait - 1);
      expect(numbers(wire)).toHaveLength(round + 1);
      advance(1);
      expect(numbers(wire)).toHaveLength(round + 2);
    }
    expect(new Set(numbers(wire)).size).toBe(4);
    expect(seen).toEqual(["lost", "lost", "lost"]);
    // Once it works again, the next end is met with the first delay.
    wire?.tell(numbers(wire).at(-1) ?? 0, {
      case: "event",
      value: { $typeName: "slipway.v1.Event", event: { case: undefined } },
    });
    wire?.tell(numbers(wire).at(-1) ?? 0, close(code));
    advance(250);
    expect(numbers(wire)).toHaveLength(5);
    expect(wires).toHaveLength(1);
  });

test("a stream that its user closes while it waits is not asked for again", () => {
  const { socket, wires, advance, user } = setUp();
  socket.start();
  const stream = socket.open(user);
  wires[0]?.onopen?.();
  wires[0]?.tell(numbers(wires[0])[0] ?? 0, close("internal"));
  stream.close();
  advance(1_000);
  expect(numbers(wires[0])).toHaveLength(1);
});

test("a connection found dead is told to whoever else relies on the line", () => {
  const { socket, wires, advance } = setUp();
  const heard: string[] = [];
  socket.onSilence(() => heard.push(socket.status.state));
  socket.start();
  wires[0]?.onclose?.({ code: 1006 });
  expect(heard).toEqual([]);
  advance(300);
  wires[1]?.onopen?.();
  advance(40_000);
  expect(heard).toHaveLength(1);
});
