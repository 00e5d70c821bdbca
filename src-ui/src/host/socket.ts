/** The browser's one WebSocket: streams multiplexed as protobuf frames, reconnecting by itself. */
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  CloseStreamSchema,
  PingSchema,
  type WsClient,
  WsClientSchema,
  type WsServer,
  WsServerSchema,
} from "./generated/slipway/v1/ws_pb";

export type ClientBody = WsClient["body"];
export type ServerBody = WsServer["body"];

/** What the socket needs of a WebSocket; tests script one. */
export interface Wire {
  binaryType: string;
  onopen: (() => void) | null;
  onmessage: ((event: { data: unknown }) => void) | null;
  onclose: ((event: { code: number }) => void) | null;
  onerror: (() => void) | null;
  send(data: Uint8Array<ArrayBuffer>): void;
  close(): void;
  /** As a WebSocket has it: 2 and 3 once it is closing or closed. */
  readonly readyState?: number;
}

/** Everything from outside, so that tests run without a clock. */
export interface SocketWorld {
  dial(): Wire;
  now(): number;
  random(): number;
  after(ms: number, run: () => void): () => void;
}

export type SocketStatus =
  | { state: "idle" }
  | { state: "connecting"; attempt: number }
  | { state: "online" }
  | { state: "waiting"; attempt: number; nextAt: number };

/** One user of the socket. `first` is asked again on every new connection. */
export interface StreamUser {
  first(): ClientBody;
  frame(body: ServerBody): void;
  /** The server ended the stream for good: asking again would be answered the same. */
  closed(code: string, message: string): void;
  /** The stream broke off, alone or with the connection; it is asked for again. */
  lost(): void;
}

export interface Stream {
  /** False when there is no connection; nothing was sent then. */
  send(body: ClientBody): boolean;
  close(): void;
}

const PING_MS = 15_000;
const PONG_MS = 10_000;
const WAKE_PONG_MS = 2_000;
const WAKE_JUMP_MS = 5_000;
const DIAL_MS = 10_000;
const FIRST_DELAY_MS = 250;
const LAST_DELAY_MS = 15_000;

/** Ends that no further try can change: what it is about is gone, or is not for this account or this page. */
const FINAL = new Set([
  "account_disabled",
  "forbidden",
  "no_session",
  "not_found",
  "protocol_mismatch",
  "sign_in_expired",
  "sign_in_required",
]);

interface Member {
  user: StreamUser;
  link: Link | null;
  number: number;
  /** Tries since the server last said something on it. */
  attempt: number;
  cancelRejoin: (() => void) | null;
}

/** One connection with its streams. */
interface Link {
  wire: Wire;
  open: boolean;
  next: number;
  streams: Map<number, Member>;
}

export class Socket {
  private readonly members = new Set<Member>();
  private readonly listeners = new Set<(status: SocketStatus) => void>();
  private readonly silenceListeners = new Set<() => void>();
  private link: Link | null = null;
  private current: SocketStatus = { state: "idle" };
  private attempt = 0;
  private cancelRetry: (() => void) | null = null;
  private cancelPong: (() => void) | null = null;
  private cancelTick: (() => void) | null = null;
  private heardAt = 0;
  private tickAt = 0;
  private nonce = 0n;
  private stopped = true;

  constructor(private readonly world: SocketWorld) {}

  get status(): SocketStatus {
    return this.current;
  }

  watch(listener: (status: SocketStatus) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Tells when a connection that seemed open turns out to be dead: others made at the same time are as well. */
  onSilence(listener: () => void): () => void {
    this.silenceListeners.add(listener);
    return () => this.silenceListeners.delete(listener);
  }

  start(): void {
    if (!this.stopped) return;
    this.stopped = false;
    this.dial();
  }

  stop(): void {
    this.stopped = true;
    this.cancelRetry?.();
    this.cancelPong?.();
    this.cancelTick?.();
    const link = this.link;
    this.link = null;
    if (link) this.drop(link);
    this.become({ state: "idle" });
  }

  /** Tries at once instead of waiting: the network came back, or the person asked. */
  retry(): void {
    if (this.stopped) return;
    if (this.current.state === "waiting") {
      this.attempt = 0;
      this.dial();
    } else if (this.current.state === "online") this.ping(WAKE_PONG_MS);
  }

  open(user: StreamUser): Stream {
    const member: Member = { user, link: null, number: 0, attempt: 0, cancelRejoin: null };
    this.members.add(member);
    if (this.link?.open) this.join(this.link, member);
    return {
      send: (body) => {
        if (!member.link?.open) return false;
        this.transmit(member.link, member.number, body);
        return true;
      },
      close: () => {
        this.members.delete(member);
        member.cancelRejoin?.();
        const link = member.link;
        member.link = null;
        if (!link?.open) return;
        link.streams.delete(member.number);
        this.transmit(link, member.number, { case: "close", value: create(CloseStreamSchema, {}) });
      },
    };
  }

  private dial(): void {
    this.cancelRetry?.();
    this.cancelRetry = null;
    const fresh: Link = { wire: this.world.dial(), open: false, next: 1, streams: new Map() };
    const before = this.link;
    // Without a working connection the state shows; moving to another one is nobody's business.
    if (!before) this.become({ state: "connecting", attempt: this.attempt });
    fresh.wire.binaryType = "arraybuffer";
    const cancelDeadline = this.world.after(DIAL_MS, () => fresh.wire.close());
    fresh.wire.onopen = () => {
      cancelDeadline();
      this.opened(fresh);
    };
    fresh.wire.onmessage = (event) => this.received(fresh, event.data);
    fresh.wire.onerror = () => undefined;
    fresh.wire.onclose = () => {
      cancelDeadline();
      this.closed(fresh);
    };
    if (!before) this.link = fresh;
  }

  private opened(link: Link): void {
    const old = this.link === link ? null : this.link;
    link.open = true;
    this.link = link;
    this.attempt = 0;
    this.heardAt = this.world.now();
    for (const member of this.members) this.join(link, member);
    if (old) this.drop(old);
    this.become({ state: "online" });
    this.cancelPong?.();
    this.cancelPong = null;
    this.tickAt = this.world.now();
    this.tick();
  }

  private join(link: Link, member: Member): void {
    member.cancelRejoin?.();
    member.cancelRejoin = null;
    member.link?.streams.delete(member.number);
    member.link = link;
    member.number = link.next;
    link.next += 1;
    link.streams.set(member.number, member);
    this.transmit(link, member.number, member.user.first());
  }

  private received(link: Link, data: unknown): void {
    if (!(data instanceof ArrayBuffer)) return;
    this.heardAt = this.world.now();
    const frame = fromBinary(WsServerSchema, new Uint8Array(data));
    if (frame.stream === 0) {
      if (frame.body.case === "pong") {
        this.cancelPong?.();
        this.cancelPong = null;
      } else if (frame.body.case === "goAway" && link === this.link)
        this.moveOn(frame.body.value.afterMs);
      return;
    }
    const member = link.streams.get(frame.stream);
    if (!member) return;
    if (frame.body.case === "closed") {
      this.ended(link, member, frame.body.value.code, frame.body.value.message);
      return;
    }
    member.attempt = 0;
    member.user.frame(frame.body);
  }

  /** The server ended one stream of a connection that goes on. */
  private ended(link: Link, member: Member, code: string, message: string): void {
    link.streams.delete(member.number);
    member.link = null;
    if (FINAL.has(code)) {
      this.members.delete(member);
      member.user.closed(code, message);
      return;
    }
    member.user.lost();
    if (!this.members.has(member)) return;
    const delay = this.spread(member.attempt);
    member.attempt += 1;
    member.cancelRejoin = this.world.after(delay, () => {
      if (this.link?.open) this.join(this.link, member);
    });
  }

  /** The server is going away: the new connection comes first, then the old one is closed. */
  private moveOn(afterMs: number): void {
    this.cancelRetry?.();
    this.cancelRetry = this.world.after(afterMs, () => this.dial());
  }

  private closed(link: Link): void {
    link.open = false;
    if (link !== this.link) {
      // A connection that was to replace the living one failed: the living one still serves.
      if (this.link?.open && !this.stopped && !link.streams.size && this.link !== link)
        this.moveOn(this.delay());
      return;
    }
    this.link = null;
    this.cancelPong?.();
    this.cancelTick?.();
    for (const member of link.streams.values()) {
      member.link = null;
      member.user.lost();
    }
    link.streams.clear();
    if (this.stopped) return;
    const delay = this.delay();
    this.become({ state: "waiting", attempt: this.attempt, nextAt: this.world.now() + delay });
    this.cancelRetry = this.world.after(delay, () => this.dial());
  }

  private delay(): number {
    const delay = this.spread(this.attempt);
    this.attempt += 1;
    return delay;
  }

  /** Twice as long each time, and by chance, so that the clients of a restarted server do not come all at once. */
  private spread(attempt: number): number {
    const top = Math.min(FIRST_DELAY_MS * 2 ** attempt, LAST_DELAY_MS);
    return Math.round(top * (0.5 + this.world.random() / 2));
  }

  private drop(link: Link): void {
    link.open = false;
    link.wire.onmessage = null;
    link.wire.onclose = null;
    link.wire.onopen = null;
    link.wire.close();
    link.streams.clear();
  }

  /** Every second: an idle connection is pinged; a clock that jumped means the computer slept. */
  private tick(): void {
    this.cancelTick?.();
    this.cancelTick = this.world.after(1_000, () => {
      const now = this.world.now();
      const slept = now - this.tickAt > WAKE_JUMP_MS;
      this.tickAt = now;
      if (slept) this.ping(WAKE_PONG_MS);
      else if (now - this.heardAt > PING_MS) this.ping(PONG_MS);
      this.tick();
    });
  }

  private ping(deadline: number): void {
    const link = this.link;
    if (!link?.open || this.cancelPong) return;
    this.nonce += 1n;
    this.transmit(link, 0, { case: "ping", value: create(PingSchema, { nonce: this.nonce }) });
    this.cancelPong = this.world.after(deadline, () => {
      this.cancelPong = null;
      // The browser may take minutes to notice; we do not wait for its close event.
      link.wire.onclose = null;
      link.wire.close();
      for (const listener of [...this.silenceListeners]) listener();
      this.closed(link);
    });
  }

  private transmit(link: Link, stream: number, body: ClientBody): void {
    // Closing already; what is not acknowledged goes out again on the next connection.
    if ((link.wire.readyState ?? 1) > 1) return;
    link.wire.send(toBinary(WsClientSchema, create(WsClientSchema, { stream, body })));
  }

  private become(status: SocketStatus): void {
    this.current = status;
    for (const listener of this.listeners) listener(status);
  }
}
