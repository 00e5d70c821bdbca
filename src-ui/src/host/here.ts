/** One workspace of this machine as it stands: its folder, its sync, its conflicts, kept true by what the program tells. */
import { createStore } from "zustand/vanilla";
import type { DesktopHost } from "./desktop";
import type { Conflict } from "./generated/api/Conflict";
import type { Conflicts } from "./generated/api/Conflicts";
import type { LocalWorkspace } from "./generated/api/LocalWorkspace";
import type { Sync } from "./generated/api/Sync";
import type { SyncPath } from "./generated/api/SyncPath";
import type { Undone } from "./generated/api/Undone";
import { type Exchange, type Failure, failureOf } from "./ide";
import { DesktopCalls } from "./local";
import { Once } from "./once";
import { type Work, workAfter } from "./work";

export interface HereState {
  /** Null until it is known, or when this machine has no such workspace. */
  workspace: LocalWorkspace | null;
  sync: Sync | null;
  /** Why that could not be read; null when it could. */
  failure: Failure | null;
  /** How far what is to be moved has come; null while nothing is. */
  work: Work | null;
  conflicts: readonly Conflict[];
  /** Paths that are not in step. */
  byPath: ReadonlyMap<string, SyncPath["state"] | "conflict">;
}

export class Here {
  readonly store = createStore<HereState>(() => ({
    workspace: null,
    sync: null,
    failure: null,
    work: null,
    conflicts: [],
    byPath: new Map(),
  }));
  private readonly once = new Once();
  private readonly desktop: DesktopCalls;
  private readonly base: string;
  private stop: (() => void) | null = null;

  constructor(
    private readonly exchange: Exchange,
    readonly id: string,
    private readonly program: Pick<DesktopHost, "told">,
  ) {
    this.desktop = new DesktopCalls(exchange);
    this.base = `/workspaces/${id}`;
  }

  get state(): HereState {
    return this.store.getState();
  }

  open(): void {
    this.stop ??= this.program.told((told) => {
      if (told.told === "sync" && told.workspace === this.id) void this.pullSync();
      if (told.told === "workspaces" || told.told === "account") void this.pullWorkspace();
    });
    void this.pullWorkspace();
    void this.pullSync();
  }

  close(): void {
    this.stop?.();
    this.stop = null;
  }

  pullWorkspace(): Promise<void> {
    return this.once.pull("workspace", async () => {
      const all = await this.desktop.workspaces().catch(() => null);
      const workspace = all?.find(({ id }) => id === this.id) ?? null;
      if (all) this.store.setState({ workspace });
    });
  }

  pullSync(): Promise<void> {
    return this.once.pull("sync", async () => {
      let failure: Failure | null = null;
      const [sync, found] = await Promise.all([
        this.ask<Sync>("GET", "/sync").catch((error: unknown) => {
          failure = failureOf(error);
          return null;
        }),
        this.ask<Conflicts>("GET", "/conflicts").catch(() => null),
      ]);
      const before = this.state;
      const conflicts = found?.conflicts ?? before.conflicts;
      const paths = sync?.paths ?? before.sync?.paths ?? [];
      const byPath = new Map<string, SyncPath["state"] | "conflict">();
      // Without a server nothing waits; that nothing of it is there is said of the whole.
      const known = (sync ?? before.sync)?.state !== "local";
      for (const { path, state } of paths)
        if (known || state === "blocked") byPath.set(path, state);
      for (const { path, copy } of conflicts)
        for (const one of [path, copy]) byPath.set(one, "conflict");
      const work = sync ? workAfter(before.work, sync) : before.work;
      this.store.setState({ sync: sync ?? before.sync, failure, work, conflicts, byPath });
    });
  }

  /** Deletions that were held go out. */
  confirm = () => this.act("/sync/confirm");
  /** Deletions that were held are taken back. */
  bringBack = () => this.act("/sync/bring-back");
  undo = (arrival: number) => this.act<Undone>(`/sync/arrivals/${arrival}/undo`);
  resolve = (copy: string, keepCopy: boolean) =>
    this.act("/conflicts/resolve", { copy, keep_copy: keepCopy });

  /** Its folder, which is gone, comes from the server again. */
  async again(): Promise<void> {
    await this.desktop.again(this.id);
    await Promise.all([this.pullWorkspace(), this.pullSync()]);
  }

  /** The server knows it from now on. */
  async upload(name: string): Promise<void> {
    await this.act("/upload", { name });
    await this.pullWorkspace();
  }

  /** What both sides of a conflict began with; null when nobody has it any more. */
  async baseOf({ copy, base }: Conflict): Promise<Uint8Array<ArrayBuffer> | null> {
    if (!base) return null;
    const path = `${this.base}/conflicts/base?copy=${encodeURIComponent(copy)}`;
    const answer = await this.exchange("GET", path).catch(() => null);
    return answer && new Uint8Array(await answer.arrayBuffer());
  }

  private async act<T>(path: string, json?: unknown): Promise<T> {
    const answer = await this.ask<T>("POST", path, json);
    await this.pullSync();
    return answer;
  }

  private async ask<T>(method: string, path: string, json?: unknown): Promise<T> {
    const options = json === undefined ? {} : { json };
    const answer = await this.exchange(method, `${this.base}${path}`, options);
    const text = await answer.text();
    return (text === "" ? null : JSON.parse(text)) as T;
  }
}
