/** For tests: a hub with its rules, a network that delays and loses, and browser tabs without a browser. */
import type { Connection } from "../../host/connection";
import type { MemoryDrafts } from "../../host/drafts";
import type { Change } from "../../host/generated/api/Change";
import type { Entry } from "../../host/generated/api/Entry";
import { type Exchange, IdeCalls } from "../../host/ide";
import { LiveWorkspace } from "../../host/live";
import { type LineEdit, lines } from "../../host/merge";
import type { Socket, SocketStatus } from "../../host/socket";
import { MemoryTrees } from "../../host/trees";
import type { TextModel } from "./buffer";
import { Buffers } from "./buffers";

/** The server's side: current files, the journal, and every text that ever stood there. */
export class Hub {
  readonly files = new Map<string, Entry & { text: string }>();
  readonly journal: Change[] = [];
  readonly history = new Set<string>();
  /** Asked before a write of a tab is applied. */
  guard: (path: string, before: string | null, after: string) => void = () => undefined;
  private readonly hashes = new Map<string, string>();

  get head(): number {
    return this.journal.length;
  }

  text(path: string): string | null {
    return this.files.get(path)?.text ?? null;
  }

  put(path: string, text: string): Entry {
    const hash = this.hashes.get(text) ?? `h${this.hashes.size + 1}`;
    this.hashes.set(text, hash);
    this.history.add(text);
    const revision = this.head + 1;
    const entry = {
      path,
      kind: "file",
      size: text.length,
      hash,
      executable: false,
      revision,
      text,
    };
    this.files.set(path, entry as Entry & { text: string });
    this.note(path, entry as Entry);
    return entry as Entry;
  }

  delete(path: string): void {
    if (this.files.delete(path)) this.note(path);
  }

  answer(method: string, path: string, headers: Record<string, string>, body: string): Response {
    const file = /\/files\/(.*)$/.exec(path)?.[1];
    if (path.endsWith("/tree"))
      return Response.json({ revision: this.head, entries: [...this.files.values()] });
    if (path.includes("/changes")) {
      const after = Number(path.slice(path.indexOf("=") + 1));
      return Response.json({ head: this.head, changes: this.journal.slice(after), more: false });
    }
    if (file === undefined) return Response.json(path.endsWith("/runs") ? { runs: [] } : null);
    const known = this.files.get(decodeURIComponent(file));
    if (method === "GET")
      return known
        ? new Response(known.text, { headers: { etag: `"${known.hash}"` } })
        : refuse(404, "not_found");
    const fits =
      headers["if-none-match"] === "*"
        ? !known
        : known && headers["if-match"] === `"${known.hash}"`;
    if (!fits) return refuse(412, "stale");
    this.guard(file, known?.text ?? null, body);
    const entry = this.put(file, body);
    return Response.json({ revision: entry.revision, entry });
  }

  private note(path: string, entry?: Entry): void {
    const change = {
      revision: this.head + 1,
      path,
      origin: {},
      at: "",
      ...(entry ? { entry } : {}),
    };
    this.journal.push(change as Change);
  }
}

function refuse(status: number, code: string): Response {
  return Response.json({ code, detail: code }, { status });
}

/** A text with the undo of an editor. */
export class PlainText implements TextModel {
  private readonly past: { text: string; version: number }[] = [];
  private count = 1;
  private now: { text: string; version: number };
  private heard: () => void = () => undefined;
  disposed = false;

  constructor(text: string) {
    this.now = { text, version: 1 };
  }

  text(): string {
    if (this.disposed) throw new Error("This model is disposed.");
    return this.now.text;
  }

  version(): number {
    return this.now.version;
  }

  become(text: string): void {
    this.past.push(this.now);
    this.count += 1;
    this.now = { text, version: this.count };
    this.heard();
  }

  undo(): void {
    const before = this.past.pop();
    if (!before) return;
    this.now = before;
    this.heard();
  }

  edit(edits: readonly LineEdit[]): void {
    const rows = lines(this.text());
    const at = (line: number, column: number) =>
      rows.slice(0, line - 1).reduce((sum, row) => sum + row.length, 0) + column - 1;
    let text = this.text();
    for (const one of [...edits].reverse())
      text =
        text.slice(0, at(one.startLine, one.startColumn)) +
        one.text +
        text.slice(at(one.endLine, one.endColumn));
    if (edits.length > 0) this.become(text);
  }

  onChange(listener: () => void): void {
    this.heard = listener;
  }

  dispose(): void {
    this.disposed = true;
  }
}

/** A request under way: first the hub sees it, then its answer travels back. */
interface Request {
  serve: () => void;
  served: boolean;
  deliver: () => void;
  lose: () => void;
}

/** One browser tab with its network and its clock. */
export class BrowserTab {
  readonly live: LiveWorkspace;
  readonly buffers: Buffers<PlainText>;
  requests: Request[] = [];
  online = true;
  private timers: { at: number; run: () => void }[] = [];
  private clock = 0;
  private readonly watchers = new Set<(status: SocketStatus) => void>();

  constructor(
    readonly name: string,
    readonly hub: Hub,
    drafts: MemoryDrafts,
    living: () => Set<string>,
  ) {
    const socket = {
      status: { state: "online" } as SocketStatus,
      watch: (listener: (status: SocketStatus) => void) => {
        this.watchers.add(listener);
        return () => this.watchers.delete(listener);
      },
      open: () => ({ send: () => true, close: () => undefined }),
      retry: () => undefined,
    };
    this.live = new LiveWorkspace(new IdeCalls(this.exchange, "w"), {
      socket: socket as unknown as Socket,
      connection: socket as unknown as Connection,
      trees: new MemoryTrees(),
      after: this.after,
      now: () => this.clock,
    });
    this.buffers = new Buffers(
      this.live,
      { drafts, after: this.after, now: () => this.clock },
      { id: name, living: async () => living() },
      (_path, text) => new PlainText(text),
    );
    this.live.open();
  }

  readonly after = (ms: number, run: () => void): (() => void) => {
    const timer = { at: this.clock + ms, run };
    this.timers.push(timer);
    return () => {
      this.timers = this.timers.filter((one) => one !== timer);
    };
  };

  type(path: string, change: (text: string) => string): boolean {
    const info = this.buffers.info(path);
    const model = this.buffers.model(path);
    if (!info || !model || info.readOnly) return false;
    model.become(change(model.text()));
    return true;
  }

  pass(ms: number): void {
    this.clock += ms;
    for (const timer of this.timers.filter((one) => one.at <= this.clock)) {
      this.timers = this.timers.filter((one) => one !== timer);
      timer.run();
    }
  }

  /** Whether anything will still happen by itself. */
  get busy(): boolean {
    return this.requests.length > 0 || this.timers.length > 0;
  }

  connect(online: boolean): void {
    this.online = online;
    const status: SocketStatus = online
      ? { state: "online" }
      : { state: "waiting", attempt: 2, nextAt: 0 };
    for (const watcher of this.watchers) watcher(status);
    if (online) this.live.refresh();
  }

  /** As a closed or reloaded page: what was sent may still arrive, no answer is heard. */
  end(arrives: (request: Request) => boolean): void {
    this.live.close();
    for (const request of this.requests) if (!request.served && arrives(request)) request.serve();
    this.requests = [];
    this.timers = [];
  }

  private readonly exchange: Exchange = (method, path, options = {}) =>
    new Promise<Response>((yes, no) => {
      const lost = () => no({ code: "network", detail: "offline", status: 0 });
      if (!this.online) return void queueMicrotask(lost);
      const body = options.body instanceof Uint8Array ? new TextDecoder().decode(options.body) : "";
      let answer: Response | null = null;
      const request: Request = {
        served: false,
        serve: () => {
          request.served = true;
          answer = this.hub.answer(method, path, options.headers ?? {}, body);
        },
        deliver: () => {
          if (!request.served) request.serve();
          const got = answer as Response;
          if (got.ok) yes(got);
          else void got.json().then(({ code, detail }) => no({ code, detail, status: got.status }));
        },
        lose: lost,
      };
      this.requests.push(request);
    });
}

/** Lets everything that waits for nothing outside run. */
export function calm(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}

/** Mends every network and waits until nothing happens by itself any more. */
export async function quiet(tabs: readonly BrowserTab[]): Promise<void> {
  for (const tab of tabs) if (!tab.online) tab.connect(true);
  for (let round = 0; round < 400; round += 1) {
    for (const tab of tabs) {
      for (const request of tab.requests.splice(0)) request.deliver();
      await calm();
      if (tab.live.state.head < tab.hub.head) void tab.live.pullFiles();
      await calm();
      if (tab.requests.length === 0) tab.pass(5_000);
    }
    await calm();
    if (tabs.every((tab) => !tab.busy && tab.live.state.head === tab.hub.head)) return;
  }
  throw new Error("It never comes to rest.");
}
