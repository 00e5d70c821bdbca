/** What the IDE asks of a server: files, sessions, terminals and runs of one workspace. */
import type { Changes } from "./generated/api/Changes";
import type { Commit } from "./generated/api/Commit";
import type { Committed } from "./generated/api/Committed";
import type { History } from "./generated/api/History";
import type { OnConflict } from "./generated/api/OnConflict";
import type { Run } from "./generated/api/Run";
import type { Runs } from "./generated/api/Runs";
import type { Session } from "./generated/api/Session";
import type { StartRun } from "./generated/api/StartRun";
import type { Tasks } from "./generated/api/Tasks";
import type { Terminal } from "./generated/api/Terminal";
import type { Terminals } from "./generated/api/Terminals";
import type { Tree } from "./generated/api/Tree";
import type { Uploaded } from "./generated/api/Uploaded";
import type { Written } from "./generated/api/Written";
import { awayWords } from "./lack";

/** A request that failed with a stable code; `network` when no answer came. */
export interface Failure {
  code: string;
  detail: string;
  status: number;
  /** What is wrong with single fields, by name. */
  fields?: Readonly<Record<string, string>>;
  /** Seconds until another try is worth it. */
  retryAfter?: number;
}

export interface Content {
  bytes: Uint8Array<ArrayBuffer>;
  hash: string;
}

/** One HTTP exchange. The path is below `/api/v1`. Rejects with a `Failure`-shaped error. */
export type Exchange = (
  method: string,
  path: string,
  options?: {
    json?: unknown;
    body?: Blob | Uint8Array<ArrayBuffer>;
    headers?: Record<string, string>;
    signal?: AbortSignal;
    progress?: (sent: number, total: number) => void;
    /** Milliseconds until the answer begins, for work that the server takes long over. */
    patience?: number;
    /** The page keeps what it sends, and sends it again when the server is back. */
    kept?: boolean;
  },
) => Promise<Response>;

export function failureOf(error: unknown): Failure {
  if (typeof error === "object" && error !== null && "code" in error) {
    const { code, detail, message, status, fields, retryAfter } = error as Record<string, unknown>;
    return {
      code: String(code),
      detail: String(detail ?? message ?? code),
      status: typeof status === "number" ? status : 0,
      ...(fields ? { fields: fields as Record<string, string> } : {}),
      ...(typeof retryAfter === "number" ? { retryAfter } : {}),
    };
  }
  return {
    code: "network",
    detail: awayWords("read"),
    status: 0,
  };
}

/** Whether the request never reached a server, so that it can be made again later. */
export function isOffline(failure: Failure): boolean {
  return (
    failure.code === "network" ||
    failure.code === "offline" ||
    failure.code === "unreachable" ||
    failure.status === 0 ||
    failure.status === 502 ||
    failure.status === 503 ||
    failure.status === 504
  );
}

export function escapePath(path: string): string {
  return path.split("/").map(encodeURIComponent).join("/");
}

/** A form of files, whose contents stay on the disk until they are sent. */
function multipart(
  files: readonly { path: string; file: Blob }[],
  unique: string,
): { body: Blob; type: string } {
  // In no file: nobody can guess it.
  const boundary = `slipway-${unique}`;
  const parts = files.flatMap(({ path, file }) => [
    `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="${path}"\r\n\r\n`,
    file,
    "\r\n",
  ]);
  return {
    body: new Blob([...parts, `--${boundary}--\r\n`]),
    type: `multipart/form-data; boundary=${boundary}`,
  };
}

/** The calls of one workspace. */
export class IdeCalls {
  private readonly base: string;

  constructor(
    private readonly exchange: Exchange,
    readonly workspace: string,
  ) {
    this.base = `/workspaces/${workspace}`;
  }

  tree = () => this.get<Tree>(`${this.base}/tree`);
  changes = (after: number) => this.get<Changes>(`${this.base}/changes?after=${after}`);

  /** The present, or a version: one of the server's, or of `here`. */
  async read(path: string, revision?: number, here = false): Promise<Content> {
    const at = revision === undefined ? "" : `?revision=${revision}${here ? "&of=here" : ""}`;
    const answer = await this.exchange("GET", `${this.base}/files/${escapePath(path)}${at}`);
    const hash = (answer.headers.get("etag") ?? "").replace(/^W\//, "").replaceAll('"', "");
    return { bytes: new Uint8Array(await answer.arrayBuffer()), hash };
  }

  /** Writes over exactly the content `base`; empty: only where nothing stands. */
  async write(
    path: string,
    body: Blob | Uint8Array<ArrayBuffer>,
    base: string | "any",
    progress?: (sent: number, total: number) => void,
  ): Promise<Written> {
    const headers: Record<string, string> = { "content-type": "application/octet-stream" };
    if (base === "") headers["if-none-match"] = "*";
    else headers["if-match"] = base === "any" ? "*" : `"${base}"`;
    const answer = await this.exchange("PUT", `${this.base}/files/${escapePath(path)}`, {
      body,
      headers,
      kept: true,
      ...(progress ? { progress } : {}),
    });
    return (await answer.json()) as Written;
  }

  /** Stores several files below a folder in one request; each has its own outcome. `unique` is found in none. */
  async upload(
    folder: string,
    onConflict: OnConflict,
    files: readonly { path: string; file: Blob }[],
    unique: string,
    signal: AbortSignal,
    progress: (sent: number, total: number) => void,
  ): Promise<Uploaded> {
    const query = new URLSearchParams({ folder, on_conflict: onConflict });
    const { body, type } = multipart(files, unique);
    const answer = await this.exchange("POST", `${this.base}/uploads?${query}`, {
      body,
      headers: { "content-type": type },
      signal,
      progress,
    });
    return (await answer.json()) as Uploaded;
  }

  commit = (commit: Commit) => this.post<Committed>(`${this.base}/commits`, commit);
  /** Versions of a path, newest first; `before` is `next` of the page before. */
  history = (path: string, before?: number) => {
    const query = new URLSearchParams({ path });
    if (before !== undefined) query.set("before", String(before));
    return this.get<History>(`${this.base}/history?${query}`);
  };
  /** Those that this computer keeps, by numbers of its own; only the desktop program can be asked. */
  historyHere = (path: string) =>
    this.get<History>(`${this.base}/history?${new URLSearchParams({ path, of: "here" })}`);
  /** Brings a version back, as a change of its own; `was` is what the path was called then. */
  restore = (revision: number, path: string, was = path) => {
    const from = was === path ? {} : { from: was };
    return this.post<Committed>(`${this.base}/restores`, { revision, path, ...from });
  };
  /** Takes back what was done here after a revision; in the desktop program that is one of this machine. */
  takeBack = (revision: number, path: string) =>
    this.post<Committed>(`${this.base}/restores?of=here`, { revision, path });

  session = () => this.get<Session | null>(`${this.base}/session`);
  startSession = () => this.post<Session>(`${this.base}/session`);
  async stopSession(): Promise<void> {
    await this.exchange("DELETE", `${this.base}/session`);
  }
  keepSession = (untilDone: boolean) =>
    this.post<Session>(`${this.base}/session/keep`, { until_done: untilDone });

  terminals = (session: string) => this.get<Terminals>(`/sessions/${session}/terminals`);
  openTerminal = (session: string, cols: number, rows: number) =>
    this.post<Terminal>(`/sessions/${session}/terminals`, { cols, rows });
  async closeTerminal(session: string, terminal: string): Promise<void> {
    await this.exchange("DELETE", `/sessions/${session}/terminals/${terminal}`);
  }

  tasks = () => this.get<Tasks>(`${this.base}/tasks`);
  /** A page of them, newest first; `after` is `next` of the page before. */
  runs = (after?: string) =>
    this.get<Runs>(`${this.base}/runs${after === undefined ? "" : `?after=${after}`}`);
  startRun = (start: StartRun) => this.post<Run>(`${this.base}/runs`, start);
  /** In the desktop program: a run that is started once the server is back and has everything. */
  queueRun = (start: StartRun) => this.post<Run>(`${this.base}/runs`, { ...start, queue: true });
  async stopRun(id: string): Promise<void> {
    await this.exchange("POST", `/runs/${id}/stop`);
  }
  async runOutput(id: string): Promise<Uint8Array> {
    const answer = await this.exchange("GET", `/runs/${id}/output`);
    return new Uint8Array(await answer.arrayBuffer());
  }

  private async get<T>(path: string): Promise<T> {
    return (await (await this.exchange("GET", path)).json()) as T;
  }

  private async post<T>(path: string, json?: unknown): Promise<T> {
    const options = json === undefined ? {} : { json };
    return (await (await this.exchange("POST", path, options)).json()) as T;
  }
}
