/** A terminal as its viewer follows it: exact resume, ordered resizes, credits by parsed bytes, input applied once. */
import { create } from "@bufbuild/protobuf";
import { TERMINAL_INPUT_BYTES_MAX, TERMINAL_WINDOW_BYTES } from "./generated/limits";
import {
  AckSchema,
  type Attached,
  Attached_Mode,
  type Exit,
  HelloSchema,
  InputSchema,
  ResizeSchema,
  type TerminalClient,
  TerminalClientSchema,
  type TerminalServer,
  VisibilitySchema,
} from "./generated/slipway/v1/terminal_pb";
import { AttachTerminalSchema } from "./generated/slipway/v1/ws_pb";
import type { ClientBody, ServerBody, Socket, Stream } from "./socket";

/** The screen. `done` is called when the bytes were parsed, not when they were taken. */
export interface Screen {
  write(bytes: Uint8Array, done: () => void): void;
  reset(): void;
  resize(cols: number, rows: number): void;
  /** Bytes that nobody keeps any more. */
  gap(bytes: bigint): void;
  /** Text and ground as 0xRRGGBB, for programs that ask their terminal. */
  colours(): { foreground: number; background: number } | null;
  /** While true, what the screen would report is old news; what is typed is not. */
  replaying(active: boolean): void;
  exited(exit: Exit): void;
  link(state: LinkState, message: string): void;
}

/** `stale`: away for so long that typing would be blind. `over`: nothing will come any more. */
export type LinkState = "attaching" | "live" | "lost" | "stale" | "over";

export interface TerminalTarget {
  session: string;
  terminal: string;
  /** No network lies between. */
  near: boolean;
}

export interface Timing {
  after(ms: number, run: () => void): () => void;
}

const ACK_BYTES = 32 * 1024;
/** What is on its way when Ctrl-C is pressed is shown before the prompt. Without a network half as much keeps a program going. */
const NEAR_WINDOW_BYTES = TERMINAL_WINDOW_BYTES / 2;
/** So long may less than that wait. A key's echo needs no answer of its own: it would go the whole way once more. */
const ACK_WAITS_MS = 500;
const INPUT_FRAME_MAX = 16 * 1024;
const INPUT_WAITING_MAX = 4 * 1024 * 1024;
const STALE_MS = 5_000;

type Step = { kind: "bytes"; data: Uint8Array; end: bigint } | { kind: "barrier"; run: () => void };

export class TerminalStream {
  private stream: Stream;
  private epoch = "";
  /** Offset after the last byte received in order. */
  private have = 0n;
  private parsed = 0n;
  private acked = 0n;
  private replayEnd = 0n;
  private writing = 0;
  private readonly steps: Step[] = [];
  private cancelAck: (() => void) | null = null;
  private cancelStale: (() => void) | null = null;
  /** Offset of the first byte of `unacked`. */
  private inputBase = 0n;
  private unacked: Uint8Array = new Uint8Array(0);
  private waiting: Uint8Array = new Uint8Array(0);
  private resending = false;
  private attached = false;
  private state: LinkState = "attaching";
  private visible = true;
  private ended = false;

  constructor(
    socket: Socket,
    private readonly target: TerminalTarget,
    private readonly clientId: string,
    private readonly screen: Screen,
    private readonly timing: Timing,
    private cols: number,
    private rows: number,
  ) {
    this.stream = socket.open({
      first: () => this.hello(),
      frame: (body) => this.frame(body),
      closed: (code, message) => this.over(code, message),
      lost: () => this.lost(),
    });
  }

  /** Until the terminal answers, what is typed waits here; after a long silence typing would be blind. */
  get canType(): boolean {
    return this.state !== "stale" && this.state !== "over";
  }

  /** Types bytes; false when they could not be taken. */
  input(bytes: Uint8Array): boolean {
    if (!this.canType || this.waiting.length + bytes.length > INPUT_WAITING_MAX) return false;
    this.waiting = concat(this.waiting, bytes);
    this.pump();
    return true;
  }

  resize(cols: number, rows: number): void {
    if (cols === this.cols && rows === this.rows) return;
    this.cols = cols;
    this.rows = rows;
    if (this.attached) this.send({ case: "resize", value: create(ResizeSchema, { cols, rows }) });
  }

  show(visible: boolean): void {
    if (visible === this.visible) return;
    this.visible = visible;
    this.send({ case: "visibility", value: create(VisibilitySchema, { visible }) });
  }

  close(): void {
    this.cancelAck?.();
    this.cancelStale?.();
    this.stream.close();
  }

  private get window(): number {
    return this.target.near ? NEAR_WINDOW_BYTES : TERMINAL_WINDOW_BYTES;
  }

  private hello(): ClientBody {
    this.attached = false;
    const hello = create(HelloSchema, {
      terminalId: this.target.terminal,
      epoch: this.epoch,
      haveOffset: this.have,
      clientId: this.clientId,
      cols: this.cols,
      rows: this.rows,
      window: this.window,
      visible: this.visible,
      ...this.screen.colours(),
    });
    return {
      case: "attach",
      value: create(AttachTerminalSchema, { sessionId: this.target.session, hello }),
    };
  }

  private send(frame: TerminalClient["frame"]): void {
    this.stream.send({ case: "terminal", value: create(TerminalClientSchema, { frame }) });
  }

  private frame(body: ServerBody): void {
    if (body.case !== "terminal") return;
    const frame: TerminalServer["frame"] = body.value.frame;
    switch (frame.case) {
      case "attached":
        this.attach(frame.value);
        break;
      case "output":
        this.applied(frame.value.inputOffset);
        this.output(frame.value.offset, frame.value.data);
        break;
      case "resized": {
        const { cols, rows } = frame.value;
        this.barrier(() => this.screen.resize(cols, rows));
        break;
      }
      case "inputAck":
        this.applied(frame.value.offset);
        break;
      case "gap": {
        const { from, to } = frame.value;
        if (to <= this.have) break;
        this.have = to;
        this.barrier(() => {
          this.parsed = to;
          this.screen.gap(to - from);
        });
        break;
      }
      case "restored": {
        const { atOffset, cols, rows, data } = frame.value;
        this.barrier(() => this.screen.resize(cols, rows));
        this.steps.push({ kind: "bytes", data, end: atOffset });
        this.run();
        break;
      }
      case "exited": {
        const exit = frame.value;
        this.ended = true;
        this.barrier(() => this.screen.exited(exit));
        break;
      }
      case "refused":
        this.over(frame.value.code, frame.value.message);
        break;
      default:
    }
  }

  private attach(attached: Attached): void {
    const sameLog = attached.epoch === this.epoch;
    this.attached = true;
    this.cancelStale?.();
    const resume = sameLog && attached.mode === Attached_Mode.RESUME;
    if (!resume) {
      this.have = attached.startOffset;
      const start = attached.startOffset;
      this.replayEnd = attached.endOffset;
      const replays = attached.endOffset > start;
      const { cols, rows } = attached;
      this.barrier(() => {
        this.parsed = start;
        this.acked = start;
        if (replays) this.screen.replaying(true);
        this.screen.reset();
        if (cols > 0 && rows > 0) this.screen.resize(cols, rows);
      });
    }
    // What was typed for another log must not reach a new program.
    if (!sameLog && this.epoch !== "") {
      this.unacked = new Uint8Array(0);
      this.waiting = new Uint8Array(0);
      this.inputBase = attached.inputOffset;
    }
    this.epoch = attached.epoch;
    this.applied(attached.inputOffset);
    this.inputBase = attached.inputOffset;
    this.resend();
    this.become("live", "");
    this.pump();
  }

  private output(offset: bigint, data: Uint8Array): void {
    // While two connections overlap, the same bytes may come twice.
    const known = this.have > offset ? Number(this.have - offset) : 0;
    if (known >= data.length) return;
    const fresh = known === 0 ? data : data.subarray(known);
    const start = offset + BigInt(known);
    if (start > this.have) {
      const missing = start - this.have;
      this.barrier(() => this.screen.gap(missing));
    }
    this.have = start + BigInt(fresh.length);
    this.steps.push({ kind: "bytes", data: fresh, end: this.have });
    this.run();
  }

  private barrier(run: () => void): void {
    this.steps.push({ kind: "barrier", run });
    this.run();
  }

  /** Gives bytes to the screen until a barrier, which waits until all bytes before it were parsed. */
  private run(): void {
    for (;;) {
      const step = this.steps[0];
      if (!step) return;
      if (step.kind === "barrier") {
        if (this.writing > 0) return;
        this.steps.shift();
        step.run();
        continue;
      }
      this.steps.shift();
      this.writing += 1;
      this.screen.write(step.data, () => {
        this.writing -= 1;
        this.didParse(step.end);
        this.run();
      });
    }
  }

  private didParse(end: bigint): void {
    this.parsed = end;
    if (this.replayEnd > 0n && end >= this.replayEnd) {
      this.replayEnd = 0n;
      this.screen.replaying(false);
    }
    if (end - this.acked >= BigInt(ACK_BYTES)) this.ack();
    else this.cancelAck ??= this.timing.after(ACK_WAITS_MS, () => this.ack());
  }

  private ack(): void {
    this.cancelAck?.();
    this.cancelAck = null;
    if (!this.attached || this.parsed === this.acked) return;
    this.acked = this.parsed;
    this.send({
      case: "ack",
      value: create(AckSchema, { parsedOffset: this.parsed, window: this.window }),
    });
  }

  private applied(offset: bigint): void {
    if (offset <= this.inputBase) return;
    const count = Number(offset - this.inputBase);
    this.unacked = this.unacked.subarray(Math.min(count, this.unacked.length));
    this.inputBase = offset;
    this.pump();
  }

  /** Sends what was typed, one frame at a time, while the account of unacknowledged bytes has room. */
  private pump(): void {
    while (this.attached && !this.ended && !this.resending && this.waiting.length > 0) {
      const room = Math.min(TERMINAL_INPUT_BYTES_MAX - this.unacked.length, INPUT_FRAME_MAX);
      if (room <= 0) return;
      const data = this.waiting.slice(0, room);
      this.waiting = this.waiting.slice(data.length);
      const offset = this.inputBase + BigInt(this.unacked.length);
      this.unacked = concat(this.unacked, data);
      this.send({ case: "input", value: create(InputSchema, { offset, data }) });
    }
  }

  /** Sends again what no acknowledgement came for; nothing newer may overtake it. */
  private resend(): void {
    const offset = this.inputBase;
    const bytes = this.unacked;
    this.resending = true;
    for (let at = 0; at < bytes.length; at += INPUT_FRAME_MAX) {
      const data = bytes.slice(at, at + INPUT_FRAME_MAX);
      this.send({
        case: "input",
        value: create(InputSchema, { offset: offset + BigInt(at), data }),
      });
    }
    this.resending = false;
  }

  private lost(): void {
    this.attached = false;
    // Everything was said before the end; there is nothing to come back for.
    if (this.ended) {
      this.stream.close();
      return;
    }
    this.become("lost", "");
    this.cancelStale?.();
    this.cancelStale = this.timing.after(STALE_MS, () => this.become("stale", ""));
  }

  private over(code: string, message: string): void {
    this.attached = false;
    this.cancelStale?.();
    this.become("over", code === "" ? "" : message);
  }

  private become(state: LinkState, message: string): void {
    this.state = state;
    this.screen.link(state, message);
  }
}

function concat(a: Uint8Array, b: Uint8Array): Uint8Array {
  if (a.length === 0) return b.slice();
  const joined = new Uint8Array(a.length + b.length);
  joined.set(a);
  joined.set(b, a.length);
  return joined;
}
