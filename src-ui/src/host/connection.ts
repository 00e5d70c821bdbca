/** Whether the server can be worked with: whether it is reached, and whether it has its database. */
import { type Exchange, type Failure, failureOf } from "./ide";
import { NO_DATABASE } from "./lack";
import type { Socket, SocketStatus, SocketWorld } from "./socket";

/** `local`: no server knows what is worked on. */
export type ConnectionStatus =
  | SocketStatus
  | NoDatabase
  | NotSlipway
  | { state: "signed-out" }
  | { state: "local" };

/** The server answers, but can neither read nor store anything; asked again then. */
interface NoDatabase {
  state: "no-database";
  nextAt: number;
}

/** Something else answers in the server's place; it is tried again then. */
interface NotSlipway {
  state: "not-slipway";
  nextAt: number;
}

/** How long a server without a database is left alone when it does not say. */
const AGAIN_MS = 2_000;

/** How it stands with the server, and what tells of its changes. */
export interface Connection {
  readonly status: ConnectionStatus;
  watch(listener: (status: ConnectionStatus) => void): () => void;
  /** Tries at once instead of waiting. */
  retry(): void;
}

/** A page that dials the server itself: what its socket says, unless answers say that the server has no database. */
export class DialedConnection implements Connection {
  private lack: NoDatabase | null = null;
  private cancelAsk = () => {};
  private readonly listeners = new Set<(status: ConnectionStatus) => void>();

  constructor(
    private readonly world: Pick<SocketWorld, "now" | "random" | "after">,
    private readonly socket: Pick<Socket, "status" | "watch" | "retry">,
    private readonly inner: Exchange,
  ) {
    socket.watch(() => {
      if (!this.lack) this.tell();
    });
  }

  get status(): ConnectionStatus {
    return this.lack ?? this.socket.status;
  }

  watch(listener: (status: ConnectionStatus) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Tries at once instead of waiting. */
  retry(): void {
    if (this.lack) this.ask();
    this.socket.retry();
  }

  /** The same exchange; what it answers tells whether the server has its database. */
  readonly exchange: Exchange = async (method, path, options) => {
    try {
      const answer = await this.inner(method, path, options);
      this.found();
      return answer;
    } catch (error) {
      const failure = failureOf(error);
      if (failure.code === NO_DATABASE) this.missed(failure);
      // Of a server that is not reached nobody knows what it has: then the socket's word counts.
      else if (failure.code !== "cancelled") this.found();
      throw error;
    }
  };

  private missed({ retryAfter }: Failure): void {
    const wait = retryAfter === undefined ? AGAIN_MS : retryAfter * 1_000;
    // By chance, so that not all pages come at once.
    const delay = Math.round(wait * (1 + this.world.random()));
    this.lack = { state: "no-database", nextAt: this.world.now() + delay };
    this.cancelAsk();
    this.cancelAsk = this.world.after(delay, () => this.ask());
    this.tell();
  }

  private found(): void {
    if (!this.lack) return;
    this.lack = null;
    this.cancelAsk();
    // It was refused as well, if it had to be made anew meanwhile.
    this.socket.retry();
    this.tell();
  }

  /** Nothing can be answered without the database, so anything may be asked. */
  private ask(): void {
    this.cancelAsk();
    this.exchange("GET", "/account").catch(() => undefined);
  }

  private tell(): void {
    const { status } = this;
    for (const listener of this.listeners) listener(status);
  }
}
