/** Terminals over a scripted socket: cut anywhere, nothing is lost or doubled; input is applied exactly once. */
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import {
  Attached_Mode,
  type TerminalServer,
  TerminalServerSchema,
} from "./generated/slipway/v1/terminal_pb";
import { type WsClient, WsClientSchema, WsServerSchema } from "./generated/slipway/v1/ws_pb";
import { Socket, type SocketWorld, type Wire } from "./socket";
import { type Screen, TerminalStream } from "./terminal";

/** Time that only moves when told. */
class World implements SocketWorld {
  time = 0;
  wires: FakeWire[] = [];
  timers: { at: number; run: () => void }[] = [];
  server: (wire: FakeWire, frame: WsClient) => void = () => undefined;
  refuse = false;

  dial(): Wire {
    const wire = new FakeWire(this);
    this.wires.push(wire);
    return wire;
  }
  now() {
    return this.time;
  }
  random() {
    return 1;
  }
  after(ms: number, run: () => void) {
    const timer = { at: this.time + ms, run };
    this.timers.push(timer);
    return () => {
      this.timers = this.timers.filter((one) => one !== timer);
    };
  }
  advance(ms: number) {
    const end = this.time + ms;
    for (;;) {
      const due = this.timers.filter((one) => one.at <= end).sort((a, b) => a.at - b.at)[0];
      if (!due) break;
      this.timers = this.timers.filter((one) => one !== due);
      this.time = due.at;
      due.run();
    }
    this.time = end;
  }
  get wire(): FakeWire {
    return this.wires.at(-1) as FakeWire;
  }
}

class FakeWire implements Wire {
  binaryType = "";
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: ((event: { code: number }) => void) | null = null;
  onerror: (() => void) | null = null;
  dead = false;
  stream = 0;
  constructor(private readonly world: World) {}
  send(data: Uint8Array<ArrayBuffer>) {
    if (!this.dead) this.world.server(this, fromBinary(WsClientSchema, data));
  }
  close() {
    this.cut();
  }
  cut() {
    if (this.dead) return;
    this.dead = true;
    this.onclose?.({ code: 1006 });
  }
  tell(stream: number, frame: TerminalServer["frame"]) {
    if (this.dead) return;
    const message = create(WsServerSchema, {
      stream,
      body: { case: "terminal", value: create(TerminalServerSchema, { frame }) },
    });
    this.onmessage?.({ data: toBinary(WsServerSchema, message).slice().buffer });
  }
}

class FakeScreen implements Screen {
  shown: number[] = [];
  sizes: string[] = [];
  events: string[] = [];
  held: (() => void)[] = [];
  hold = false;
  write(bytes: Uint8Array, done: () => void) {
    this.shown.push(...bytes);
    if (this.hold) this.held.push(done);
    else done();
  }
  reset() {
    this.shown = [];
    this.events.push("reset");
  }
  resize(cols: number, rows: number) {
    this.sizes.push(`${this.shown.length}:${cols}x${rows}`);
  }
  gap(bytes: bigint) {
    this.events.push(`gap ${bytes}`);
  }
  colours() {
    return { foreground: 0xe6e6e6, background: 0x16181d };
  }
  replaying(active: boolean) {
    this.events.push(active ? "replay" : "live");
  }
  exited() {
    this.events.push("exited");
  }
  link(state: string) {
    this.events.push(state);
  }
}

/** An agent with a log, an input account for each client, and a size mark in the middle. */
class Agent {
  log: Uint8Array;
  applied: number[] = [];
  inputOffset = 0n;
  acks: bigint[] = [];
  /** How much the viewer takes ahead, as it said. */
  windows = new Set<number>();
  /** Bytes of output until the next cut. */
  budget = Number.POSITIVE_INFINITY;
  frameSize = 7;
  epoch = "e1";
  inputBudget = Number.POSITIVE_INFINITY;

  constructor(
    size: number,
    private readonly mark = -1,
  ) {
    this.log = Uint8Array.from({ length: size }, (_, index) => (index * 31) % 251);
  }

  serve = (wire: FakeWire, message: WsClient) => {
    const body = message.body;
    if (body.case === "attach") {
      const hello = body.value.hello;
      this.windows.add(hello?.window ?? 0);
      const same = hello?.epoch === this.epoch;
      const start = same ? (hello?.haveOffset ?? 0n) : 0n;
      wire.stream = message.stream;
      wire.tell(message.stream, {
        case: "attached",
        value: {
          $typeName: "slipway.v1.Attached",
          epoch: this.epoch,
          mode: same ? Attached_Mode.RESUME : Attached_Mode.REPLAY,
          startOffset: start,
          endOffset: BigInt(this.log.length),
          cols: 80,
          rows: 24,
          inputOffset: this.inputOffset,
        },
      });
      this.pour(wire, Number(start));
      return;
    }
    if (body.case !== "terminal") return;
    const frame = body.value.frame;
    if (frame.case === "ack") {
      this.acks.push(frame.value.parsedOffset);
      this.windows.add(frame.value.window);
    }
    if (frame.case === "input") {
      for (let at = 0; at < frame.value.data.length; at += 1) {
        const offset = frame.value.offset + BigInt(at);
        if (offset < this.inputOffset) continue;
        if (offset > this.inputOffset) throw new Error("input with a hole");
        if (this.inputBudget <= 0) return wire.cut();
        this.inputBudget -= 1;
        this.applied.push(frame.value.data[at] as number);
        this.inputOffset += 1n;
      }
      wire.tell(message.stream, {
        case: "inputAck",
        value: { $typeName: "slipway.v1.InputAck", offset: this.inputOffset },
      });
    }
  };

  private pour(wire: FakeWire, from: number) {
    let at = from;
    while (at < this.log.length) {
      const stop = this.mark > at ? Math.min(this.mark, at + this.frameSize) : at + this.frameSize;
      const end = Math.min(stop, this.log.length, at + this.budget);
      if (end > at) {
        this.budget -= end - at;
        wire.tell(wire.stream, {
          case: "output",
          value: {
            $typeName: "slipway.v1.Output",
            offset: BigInt(at),
            data: this.log.slice(at, end),
            inputOffset: this.inputOffset,
          },
        });
      }
      at = end;
      if (this.budget <= 0) return wire.cut();
      if (at === this.mark)
        wire.tell(wire.stream, {
          case: "resized",
          value: { $typeName: "slipway.v1.Resized", atOffset: BigInt(at), cols: 100, rows: 30 },
        });
    }
  }
}

function setUp(agent: Agent, near = false) {
  const world = new World();
  world.server = agent.serve;
  const socket = new Socket(world);
  const screen = new FakeScreen();
  socket.start();
  const stream = new TerminalStream(
    socket,
    { session: "s", terminal: "t", near },
    "c",
    screen,
    world,
    80,
    24,
  );
  const connect = () => world.wire.onopen?.();
  return { world, socket, screen, stream, connect };
}

describe("a terminal", () => {
  test("cut at every byte loses and doubles nothing", () => {
    for (let cut = 1; cut <= 60; cut += 1) {
      const agent = new Agent(60, 33);
      agent.budget = cut;
      const { world, screen, connect } = setUp(agent);
      connect();
      agent.budget = Number.POSITIVE_INFINITY;
      world.advance(20_000);
      if (world.wire.dead === false && world.wires.length > 1) connect();
      expect(screen.shown, `cut at ${cut}`).toEqual([...agent.log]);
    }
  });

  test("of this machine takes half as much ahead as one beyond a network", () => {
    for (const [near, expected] of [
      [true, 128],
      [false, 256],
    ] as const) {
      const agent = new Agent(40 * 1024);
      agent.frameSize = 8 * 1024;
      const { connect } = setUp(agent, near);
      connect();
      expect(agent.acks).not.toEqual([]);
      expect([...agent.windows]).toEqual([expected * 1024]);
    }
  });

  test("cut again and again with one byte each time", () => {
    const agent = new Agent(40);
    const { world, screen, connect } = setUp(agent);
    for (let round = 0; round < 45; round += 1) {
      agent.budget = 1;
      connect();
      world.advance(20_000);
    }
    expect(screen.shown).toEqual([...agent.log]);
    expect(screen.events.filter((event) => event === "reset")).toHaveLength(1);
  });

  test("a cut log begins with the screen before it, which is not part of the log", () => {
    const agent = new Agent(0);
    const { world, screen, connect } = setUp(agent);
    connect();
    const { wire } = world;
    wire.tell(wire.stream, {
      case: "gap",
      value: { $typeName: "slipway.v1.Gap", from: 0n, to: 1000n },
    });
    for (const data of [new Uint8Array([1, 2]), new Uint8Array([3])])
      wire.tell(wire.stream, {
        case: "restored",
        value: { $typeName: "slipway.v1.Restored", atOffset: 1000n, cols: 90, rows: 20, data },
      });
    wire.tell(wire.stream, {
      case: "output",
      value: {
        $typeName: "slipway.v1.Output",
        offset: 1000n,
        data: new Uint8Array([4]),
        inputOffset: 0n,
      },
    });
    expect(screen.shown).toEqual([1, 2, 3, 4]);
    expect(screen.events.filter((event) => event.startsWith("gap"))).toEqual(["gap 1000"]);
    expect(screen.sizes.at(-1)).toBe("2:90x20");
    world.advance(500);
    expect(agent.acks).toEqual([1001n]);
  });

  test("the other program's log starts anew", () => {
    const agent = new Agent(30);
    const { world, screen, connect } = setUp(agent);
    connect();
    agent.epoch = "e2";
    agent.log = new Uint8Array([9, 9, 9]);
    world.wire.cut();
    world.advance(20_000);
    connect();
    expect(screen.shown).toEqual([9, 9, 9]);
  });

  test("input is applied exactly once, wherever the connection is cut", () => {
    const typed = Array.from({ length: 50 }, (_, index) => index);
    for (let cut = 0; cut <= 50; cut += 1) {
      const agent = new Agent(0);
      agent.inputBudget = cut;
      const { world, stream, connect } = setUp(agent);
      connect();
      for (const byte of typed) expect(stream.input(new Uint8Array([byte]))).toBe(true);
      agent.inputBudget = Number.POSITIVE_INFINITY;
      world.advance(1_000);
      if (!world.wire.dead && world.wires.length > 1) connect();
      expect(agent.applied, `cut after ${cut}`).toEqual(typed);
    }
  });

  test("what is typed before the terminal answers is sent as soon as it does", () => {
    const agent = new Agent(0);
    const { stream, connect } = setUp(agent);
    expect(stream.input(new Uint8Array([1, 2]))).toBe(true);
    expect(stream.input(new Uint8Array([3]))).toBe(true);
    connect();
    expect(agent.applied).toEqual([1, 2, 3]);
  });

  test("a large paste waits for its acknowledgements", () => {
    const agent = new Agent(0);
    const { stream, connect } = setUp(agent);
    connect();
    const paste = Uint8Array.from({ length: 300_000 }, (_, index) => index % 200);
    expect(stream.input(paste)).toBe(true);
    expect(agent.applied.length).toBe(paste.length);
  });

  test("a resize is applied after the bytes before it were parsed", () => {
    const agent = new Agent(20, 10);
    const { screen, connect } = setUp(agent);
    screen.hold = true;
    connect();
    expect(screen.shown).toHaveLength(10);
    expect(screen.sizes).toEqual(["0:80x24"]);
    for (const done of screen.held.splice(0)) done();
    expect(screen.sizes).toEqual(["0:80x24", "10:100x30"]);
    expect(screen.shown).toHaveLength(20);
  });

  test("acknowledges what was parsed, at once for much and after a while for little", () => {
    const agent = new Agent(40_000);
    agent.frameSize = 4096;
    const { world, connect } = setUp(agent);
    connect();
    expect(agent.acks).toEqual([32_768n]);
    world.advance(499);
    expect(agent.acks).toEqual([32_768n]);
    world.advance(1);
    expect(agent.acks).toEqual([32_768n, 40_000n]);
  });

  test("replay is marked until its last byte was parsed", () => {
    const agent = new Agent(20);
    const { screen, connect } = setUp(agent);
    screen.hold = true;
    connect();
    expect(screen.events.filter((event) => event === "live")).toEqual(["live"]);
    const before = screen.events.length;
    for (const done of screen.held.splice(0)) done();
    expect(screen.events.slice(before)).toEqual(["live"]);
  });

  test("after five seconds away typing is refused instead of queued blindly", () => {
    const agent = new Agent(0);
    const { world, screen, stream, connect } = setUp(agent);
    connect();
    world.wire.cut();
    expect(stream.input(new Uint8Array([1]))).toBe(true);
    world.advance(6_000);
    expect(screen.events.at(-1)).toBe("stale");
    expect(stream.input(new Uint8Array([2]))).toBe(false);
    connect();
    expect(agent.applied).toEqual([1]);
    expect(stream.canType).toBe(true);
  });
});
