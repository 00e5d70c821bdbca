/** A host without a server: plausible data, and the states that are hard to come by, for looking and for tests. */
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { DialedConnection } from "./connection";
import { MemoryDrafts } from "./drafts";
import { ExchangeError } from "./exchange";
import { OUTPUT } from "./fakeData";
import { FakeDesktop } from "./fakeDesktop";
import type { FakeFiles } from "./fakeFiles";
import { FakeServer } from "./fakeServer";
import {
  Attached_Mode,
  AttachedSchema,
  OutputSchema,
  type TerminalServer,
  TerminalServerSchema,
} from "./generated/slipway/v1/terminal_pb";
import {
  EventSchema,
  WsClientSchema,
  type WsServer,
  WsServerSchema,
} from "./generated/slipway/v1/ws_pb";
import { type Host, uuidOf } from "./host";
import type { Exchange } from "./ide";
import { awayWords } from "./lack";
import { Socket, type Wire } from "./socket";
import { MemoryTrees } from "./trees";

/** What can be looked at: `?state=`. */
export const FAKE_STATES = [
  "full",
  "empty",
  "loading",
  "error",
  "offline",
  "signed-out",
  "first-account",
  "registration-closed",
] as const;
export type FakeState = (typeof FAKE_STATES)[number];

/** The host that the page's address asks for: `?state=offline`, `?desktop&state=empty`. */
export function wantedHost(): FakeHost {
  const wish = new URLSearchParams(location.search);
  const state = FAKE_STATES.find((one) => one === wish.get("state")) ?? "full";
  return fakeHost(state, wish.has("desktop"));
}

export interface FakeHost extends Host {
  readonly server: FakeServer;
  /** The desktop program, where the page is shown in one. */
  readonly program: FakeDesktop | null;
  /** What was given to the person or to other programs, in order. */
  readonly given: string[];
}

/** `desktop`: in the window of the desktop program, which has workspaces of its own. */
export function fakeHost(state: FakeState = "full", desktop = false): FakeHost {
  const server = new FakeServer(state, Date.now());
  const program = desktop ? new FakeDesktop(state, server, Date.now()) : null;
  const given: string[] = [];
  const kept = new Map<string, string>();
  const after = (ms: number, run: () => void) => {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  };
  let count = 0;
  const randomBytes = (length: number) =>
    Uint8Array.from({ length }, (_, at) => (at * 37 + ++count * 101) % 256);
  const newId = () => uuidOf(randomBytes(16));
  const world = { now: Date.now, random: () => 1, after };
  const dial = () => new FakeWire(state === "offline" && !desktop, server.files);
  const socket = new Socket({ dial, ...world });
  const answers = exchangeWith(program ?? server, state);
  const dialed = new DialedConnection(world, socket, answers);
  const id = newId();
  return {
    server,
    program,
    given,
    exchange: program ? answers : dialed.exchange,
    socket,
    connection: program?.connection ?? dialed,
    drafts: new MemoryDrafts(),
    merges: new MemoryDrafts(),
    trees: new MemoryTrees(),
    tab: Promise.resolve({ id, living: () => Promise.resolve(new Set([id])) }),
    kept: {
      get: (key) => kept.get(key) ?? null,
      set: (key, value) => void kept.set(key, value),
      remove: (key) => void kept.delete(key),
    },
    clipboard: {
      write: async (text) => {
        given.push(`copied ${text}`);
      },
      read: async () => "",
    },
    get address() {
      const chosen = program ? (program.desktop.server?.address ?? "") : "slipway.example.org";
      return chosen.replace(/^https:\/\//, "");
    },
    openExternal: (url) => given.push(`opened ${url}`),
    pickFiles: () => Promise.resolve([new File(["PK"], "tide-notes.zip")]),
    saveFile: (name) => given.push(`saved ${name}`),
    download: (path) => given.push(`downloaded ${path}`),
    reload: () => given.push("reloaded"),
    now: Date.now,
    random: () => 0.5,
    randomBytes,
    newId,
    after,
    plain: true,
    desktop: program?.hostWith(given) ?? null,
  };
}

function exchangeWith(server: FakeServer | FakeDesktop, state: FakeState): Exchange {
  // Who is signed in is known in every state but those that are about it.
  const asked = (path: string) => path === "/account" || path === "/server";
  return async (method, path, options = {}) => {
    if (server instanceof FakeDesktop && server.answersItself(method, path))
      return server.answer(method, path, options);
    if (state === "loading" && !asked(path))
      await new Promise((_, fail) => options.signal?.addEventListener("abort", fail));
    if (state === "offline" && !(method === "GET" && path === "/account"))
      throw new ExchangeError("network", awayWords(method === "GET" ? "read" : "done"), 0);
    if (state === "error" && !asked(path))
      throw new ExchangeError("internal", "The server made a mistake. Nothing was changed.", 500);
    const size = options.body instanceof Blob ? options.body.size : 0;
    options.progress?.(size, size);
    return server.answer(method, path, options);
  };
}

/** The other end of a socket: it takes every stream, and shows each terminal the same output. */
class FakeWire implements Wire {
  binaryType = "";
  onopen: Wire["onopen"] = null;
  onmessage: Wire["onmessage"] = null;
  onclose: Wire["onclose"] = null;
  onerror: Wire["onerror"] = null;

  private subscribed = 0;

  constructor(dead: boolean, files: FakeFiles) {
    setTimeout(() => (dead ? this.onclose?.({ code: 1006 }) : this.onopen?.()));
    files.watch((head) => this.moved(BigInt(head)));
  }

  send(data: Uint8Array<ArrayBuffer>): void {
    const { stream, body } = fromBinary(WsClientSchema, data);
    if (body.case === "ping")
      this.tell(0, {
        case: "pong",
        value: { $typeName: "slipway.v1.Pong", nonce: body.value.nonce },
      });
    if (body.case === "attach") this.attached(stream);
    if (body.case === "subscribe") this.subscribed = stream;
  }

  private moved(head: bigint): void {
    const event = create(EventSchema, { event: { case: "workspace", value: { head } } });
    if (this.subscribed > 0) this.tell(this.subscribed, { case: "event", value: event });
  }

  close(): void {
    this.onclose?.({ code: 1000 });
  }

  private attached(stream: number): void {
    const data = new TextEncoder().encode(OUTPUT);
    const attached = create(AttachedSchema, {
      epoch: "fake",
      mode: Attached_Mode.REPLAY,
      endOffset: BigInt(data.length),
      cols: 100,
      rows: 24,
    });
    this.terminal(stream, { case: "attached", value: attached });
    this.terminal(stream, { case: "output", value: create(OutputSchema, { offset: 0n, data }) });
  }

  private terminal(stream: number, frame: TerminalServer["frame"]): void {
    this.tell(stream, { case: "terminal", value: create(TerminalServerSchema, { frame }) });
  }

  private tell(stream: number, body: WsServer["body"]): void {
    const bytes = toBinary(WsServerSchema, create(WsServerSchema, { stream, body }));
    // As on a real line, the answer comes after the question is over.
    queueMicrotask(() => this.onmessage?.({ data: bytes.slice().buffer }));
  }
}
