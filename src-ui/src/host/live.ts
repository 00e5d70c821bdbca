/** One open workspace as it lives: its tree, session, usage, terminals and runs, kept true by events. */
import { create } from "@bufbuild/protobuf";
import { createStore } from "zustand/vanilla";
import type { ConnectionStatus } from "./connection";
import type { Change } from "./generated/api/Change";
import type { Entry } from "./generated/api/Entry";
import type { Run } from "./generated/api/Run";
import type { Session } from "./generated/api/Session";
import type { Terminal } from "./generated/api/Terminal";
import {
  type Event,
  type SessionNotice,
  type SessionUsage,
  SubscribeEventsSchema,
} from "./generated/slipway/v1/ws_pb";
import type { Host } from "./host";
import { type Failure, failureOf, type IdeCalls, isOffline } from "./ide";
import { Once } from "./once";
import type { Socket, Stream } from "./socket";
import { KeptTree } from "./trees";

export interface Usage {
  memoryBytes: number;
  memoryLimitBytes: number;
  diskBytes: number;
  diskLimitBytes: number;
  cpuMillis: number;
  idleStopUnixMs: number;
}

export interface Notice {
  code: string;
  message: string;
  terminal: string;
}

export interface LiveState {
  connection: ConnectionStatus;
  /** `loading` until the first tree; `kept` while it is that of an earlier visit; `failed` when there never was one. */
  loaded: "loading" | "kept" | "ready" | "failed";
  failure: Failure | null;
  head: number;
  /** The newest session, live or ended; null: there never was one. */
  session: Session | null;
  /** Whether the server has told of the session; until then nobody knows whether one runs. */
  sessionTold: boolean;
  usage: Usage | null;
  terminals: readonly Terminal[];
  /** Those of this machine, in the desktop program. */
  localTerminals: readonly Terminal[];
  runs: readonly Run[];
  /** Whether the server has told of them; until then nobody knows whether anything ran. */
  runsTold: boolean;
  /** Where the page after `runs` begins; null when these are all. */
  olderRuns: string | null;
  /** Grows with every change of the tree; the entries themselves are in `entries`. */
  treeVersion: number;
}

/** What is told of a change. */
export type Moved = Pick<Change, "revision" | "path" | "entry">;
export type ChangeListener = (changes: readonly Moved[] | "reset") => void;

/** What a live workspace needs of the host. */
export type LiveHost = Pick<Host, "socket" | "connection" | "trees" | "after" | "now">;

const EMPTY: LiveState = {
  connection: { state: "idle" },
  loaded: "loading",
  failure: null,
  head: 0,
  session: null,
  sessionTold: false,
  usage: null,
  terminals: [],
  localTerminals: [],
  runs: [],
  runsTold: false,
  olderRuns: null,
  treeVersion: 0,
};

export class LiveWorkspace {
  readonly store = createStore<LiveState>(() => EMPTY);
  /** What stands where, by path. */
  readonly entries = new Map<string, Entry>();
  readonly socket: Socket;
  readonly connection: Host["connection"];
  private readonly changeListeners = new Set<ChangeListener>();
  private readonly noticeListeners = new Set<(notice: Notice) => void>();
  private stream: Stream | null = null;
  private unwatch: (() => void) | null = null;
  private readonly keptTree: KeptTree;
  private readonly once = new Once();
  /** The session id under which terminals of this machine run; null in a browser. */
  private local: string | null = null;
  /** Whether a server knows the workspace. */
  private known = true;

  constructor(
    readonly calls: IdeCalls,
    host: LiveHost,
  ) {
    this.socket = host.socket;
    this.connection = host.connection;
    this.keptTree = new KeptTree(calls.workspace, host);
  }

  get state(): LiveState {
    return this.store.getState();
  }

  /** The session while it can be used or is being made. */
  get liveSession(): Session | null {
    const session = this.state.session;
    return session && session.state !== "stopped" && session.state !== "failed" ? session : null;
  }

  open(): void {
    if (this.stream) return;
    this.reached(this.connection.status);
    this.unwatch = this.connection.watch((connection) => this.reached(connection));
    this.stream = this.socket.open({
      first: () => {
        // What moved while nobody listened is read anew.
        queueMicrotask(() => this.refresh());
        return {
          case: "subscribe",
          value: create(SubscribeEventsSchema, { workspaceId: this.calls.workspace }),
        };
      },
      frame: (body) => {
        if (body.case === "event") this.heard(body.value.event);
      },
      closed: (code, message) => {
        if (code !== "") this.store.setState({ failure: { code, detail: message, status: 0 } });
      },
      lost: () => undefined,
    });
    this.refresh();
  }

  close(): void {
    this.stream?.close();
    this.stream = null;
    this.unwatch?.();
    this.keptTree.end();
    this.changeListeners.clear();
    this.noticeListeners.clear();
  }

  onChanges(listener: ChangeListener): () => void {
    this.changeListeners.add(listener);
    return () => this.changeListeners.delete(listener);
  }

  onNotice(listener: (notice: Notice) => void): () => void {
    this.noticeListeners.add(listener);
    return () => this.noticeListeners.delete(listener);
  }

  refresh(): void {
    void this.pullFiles();
    void this.pullSession();
    void this.pullRuns();
  }

  /** Takes what a write answered, so that the tree need not wait for the event; what is known to be newer stays. */
  wrote(path: string, entry: Entry, revision: number): void {
    if (revision <= this.state.head || !this.put(path, entry, revision)) return;
    this.tell([{ revision, path, entry }]);
  }

  /** Brings the entries up to the server's newest revision. */
  pullFiles(): Promise<void> {
    return this.once.pull("files", async () => {
      try {
        const known = this.state.loaded === "ready" && (await this.pullChanges());
        if (!known) await this.pullTree();
        this.store.setState({ failure: null });
      } catch (error) {
        const failure = failureOf(error);
        const never = this.state.loaded !== "ready";
        if (never && isOffline(failure)) await this.recallTree();
        this.store.setState({
          failure,
          ...(never && !isOffline(failure) ? { loaded: "failed" as const } : {}),
        });
      }
    });
  }

  pullSession(): Promise<void> {
    return this.once.pull("session", async () => {
      try {
        const session = await this.calls.session();
        this.setSession(session);
        if (session?.state === "ready" || session?.state === "idle")
          await this.pullTerminals(session.id);
        else this.store.setState({ terminals: [], usage: null });
      } catch (error) {
        const { code } = failureOf(error);
        if (code === "not_found" || code === "only_here")
          this.store.setState({ session: null, sessionTold: true, terminals: [], usage: null });
      }
    });
  }

  async pullTerminals(session: string): Promise<void> {
    try {
      const { terminals } = await this.calls.terminals(session);
      this.store.setState(session === this.local ? { localTerminals: terminals } : { terminals });
    } catch {
      // The session ended meanwhile; its own event tells.
    }
  }

  pullRuns(): Promise<void> {
    return this.once.pull("runs", async () => {
      try {
        const { runs, next } = await this.calls.runs();
        const { waits } = this;
        // While the server is away only what waits for it is listed; what it told of before is still so.
        const known = waits ? this.state.runs.filter(({ revision }) => revision > 0) : [];
        const runsTold = this.state.runsTold || !waits;
        const olderRuns = waits ? this.state.olderRuns : (next ?? null);
        this.store.setState({ runs: [...runs, ...known], runsTold, olderRuns });
      } catch {
        // What is shown stays until the server answers again.
      }
    });
  }

  /**
   * The workspace is one of this machine: terminals here are listed and told of under this session id, and without a
   * server that knows it nothing of it runs elsewhere.
   */
  setLocal(session: string, known: boolean): void {
    if (this.known !== known) {
      this.known = known;
      this.reached(this.connection.status);
      if (known) this.refresh();
    }
    if (this.local === session) return;
    this.local = session;
    void this.pullTerminals(session);
  }

  /** Whether the server is away, and what is asked of it can wait here: in the desktop program, for what it knows. */
  get waits(): boolean {
    const away = ["connecting", "waiting", "no-database", "not-slipway"].includes(
      this.state.connection.state,
    );
    return this.local !== null && this.known && away;
  }

  get localSession(): string | null {
    return this.local;
  }

  setSession(session: Session | null): void {
    this.store.setState({ session, sessionTold: true });
  }

  private async pullTree(): Promise<void> {
    const tree = await this.calls.tree();
    const known = this.state.loaded === "ready" ? [...this.entries.values()] : [];
    const newer = known.filter((entry) => entry.revision > tree.revision);
    this.become([...tree.entries, ...newer], { head: tree.revision, loaded: "ready" });
    this.keptTree.keep(this.entries);
  }

  /** The tree as it was last seen, for as long as the server does not tell. */
  private async recallTree(): Promise<void> {
    if (this.state.loaded !== "loading") return;
    const tree = await this.keptTree.recall();
    // The server may have told meanwhile.
    if (tree && this.state.loaded === "loading") this.become(tree.entries, { loaded: "kept" });
  }

  private become(entries: readonly Entry[], state: Partial<LiveState>): void {
    this.entries.clear();
    for (const entry of entries) this.entries.set(entry.path, entry);
    this.store.setState(({ treeVersion }) => ({ ...state, treeVersion: treeVersion + 1 }));
    for (const listener of this.changeListeners) listener("reset");
  }

  /** False when the server no longer knows what changed since. */
  private async pullChanges(): Promise<boolean> {
    for (;;) {
      const answer = await this.calls.changes(this.state.head).catch((error: unknown) => {
        if (failureOf(error).code === "revision_unknown") return null;
        throw error;
      });
      if (!answer) return false;
      const fresh = answer.changes.filter((one) => this.put(one.path, one.entry, one.revision));
      const last = answer.changes.at(-1)?.revision ?? answer.head;
      this.store.setState({ head: answer.more ? last : Math.max(last, answer.head) });
      if (fresh.length > 0) this.tell(fresh);
      if (!answer.more) return true;
    }
  }

  /** False when something newer stands there: answers may overtake each other. */
  private put(path: string, entry: Entry | undefined, revision: number): boolean {
    if ((this.entries.get(path)?.revision ?? 0) > revision) return false;
    if (entry) this.entries.set(path, entry);
    else this.entries.delete(path);
    return true;
  }

  private tell(changes: readonly Moved[]): void {
    this.store.setState((state) => ({ treeVersion: state.treeVersion + 1 }));
    for (const listener of this.changeListeners) listener(changes);
    if (this.state.loaded === "ready") this.keptTree.keep(this.entries);
  }

  private reached(status: ConnectionStatus): void {
    const connection: ConnectionStatus = this.known ? status : { state: "local" };
    const before = this.state.connection.state;
    this.store.setState({ connection });
    // A request to a server in trouble may take long to fail.
    if ("nextAt" in connection) void this.recallTree();
    // What the server could not answer without its database is asked again; its events went on all the time.
    if (before === "no-database" && connection.state === "online") this.refresh();
  }

  private heard(event: Event["event"]): void {
    switch (event.case) {
      case "workspace":
        if (Number(event.value.head) > this.state.head) void this.pullFiles();
        break;
      case "session":
        if (event.value.sessionId === "") this.store.setState({ usage: null });
        void this.pullSession();
        break;
      case "run":
        void this.pullRuns();
        break;
      case "usage":
        this.store.setState({ usage: usageOf(event.value) });
        break;
      case "notice":
        this.notice(event.value);
        break;
      case "terminals":
        void this.pullTerminals(event.value.sessionId);
        break;
      default:
    }
  }

  private notice(notice: SessionNotice): void {
    const { code, message, terminalId } = notice;
    for (const listener of this.noticeListeners) listener({ code, message, terminal: terminalId });
  }
}

function usageOf(usage: SessionUsage): Usage {
  return {
    memoryBytes: Number(usage.memoryBytes),
    memoryLimitBytes: Number(usage.memoryLimitBytes),
    diskBytes: Number(usage.diskBytes),
    diskLimitBytes: Number(usage.diskLimitBytes),
    cpuMillis: usage.cpuMillis,
    idleStopUnixMs: Number(usage.idleStopUnixMs),
  };
}
