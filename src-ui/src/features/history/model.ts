/** The versions of one file, and the one that is held against the present. */
import { createStore } from "zustand/vanilla";
import type { Sync } from "../../host/generated/api/Sync";
import type { Version } from "../../host/generated/api/Version";
import type { Here } from "../../host/here";
import { type Content, type Failure, failureOf } from "../../host/ide";
import type { LiveWorkspace } from "../../host/live";
import { diff, lines } from "../../host/merge";
import { Once } from "../../host/once";
import { has, isSame, joined, type Past } from "./versions";

/** What stands on one side: bytes, nothing because it was deleted, or nothing because nobody keeps it. */
export type Side = Content | "deleted" | "dropped";

/** What one of the two that keep versions told, newest first. */
export interface Told {
  versions: readonly Version[];
  /** Why it could not be asked; what it told before stays. */
  failure: Failure | null;
}

export interface HistoryState {
  /** Whether both have answered, or could not. */
  loaded: boolean;
  /** `next` asks for older ones; null when these are all. */
  server: Told & { next: number | null };
  /** This computer, in the desktop program. */
  here: Told;
  /** Those of both, newest first. */
  versions: readonly Past[];
  /** The one that is held against the present. */
  chosen: Past | null;
  before: Side | null;
  now: Side | null;
  /** Why the two could not be read. */
  problem: string;
}

const NOTHING: HistoryState = {
  loaded: false,
  server: { versions: [], failure: null, next: null },
  here: { versions: [], failure: null },
  versions: [],
  chosen: null,
  before: null,
  now: null,
  problem: "",
};

export class FileHistory {
  readonly store = createStore<HistoryState>(() => NOTHING);
  private readonly once = new Once();
  private readonly stops: readonly (() => void)[];

  constructor(
    private readonly live: LiveWorkspace,
    readonly path: string,
    /** The workspace as this computer has it, which keeps versions then; null in a browser. */
    private readonly here: Pick<Here, "store"> | null,
  ) {
    this.stops = [
      live.onChanges((changes) => {
        if (changes === "reset" || changes.some((one) => one.path === path)) void this.load();
      }),
      live.store.subscribe(({ connection }, before) => {
        if (connection.state === "online" && before.connection.state !== "online") void this.load();
      }),
      // What is only here may be at the server by then.
      ...(here ? [here.store.subscribe((now, before) => this.moved(now.sync, before.sync))] : []),
    ];
    void this.load();
  }

  get state(): HistoryState {
    return this.store.getState();
  }

  /** The chosen version; null while none is. */
  get version(): Past | null {
    return this.state.chosen;
  }

  /** Which of the versions is chosen; -1 for one that is not listed. */
  get at(): number {
    const { versions, chosen } = this.state;
    return versions.findIndex((one) => chosen && isSame(one, chosen));
  }

  /** Whether the chosen version has what the file has now. */
  get isPresent(): boolean {
    const hash = this.version?.entry?.hash;
    return hash !== undefined && hash === this.live.entries.get(this.path)?.hash;
  }

  dispose(): void {
    for (const stop of this.stops) stop();
  }

  private moved(sync: Sync | null, before: Sync | null): void {
    if (sync?.revision !== before?.revision && this.state.versions[0]?.here) void this.load();
  }

  /** What this computer keeps is there at once; a server in trouble may take long to say so. */
  async load(): Promise<void> {
    void this.read();
    await Promise.all([this.pullServer(), this.pullHere()]);
    this.store.setState({ loaded: true });
    const { chosen, versions } = this.state;
    // The newest is the present: what was before it says more.
    if (chosen === null) this.choose(versions[1] ?? versions[0] ?? null);
  }

  private pullServer(): Promise<void> {
    return this.once.pull("server", async () => {
      try {
        const { versions, next } = await this.live.calls.history(this.path);
        this.become({ server: { versions, failure: null, next: next ?? null } });
      } catch (error) {
        const failure = failureOf(error);
        // Where no server knows the workspace, nothing is lacking.
        if (failure.code === "only_here") this.become({ server: NOTHING.server });
        else this.become({ server: { ...this.state.server, failure } });
      }
    });
  }

  private async pullHere(): Promise<void> {
    if (!this.here) return;
    await this.once.pull("here", async () => {
      try {
        const { versions } = await this.live.calls.historyHere(this.path);
        this.become({ here: { versions, failure: null } });
      } catch (error) {
        this.become({ here: { ...this.state.here, failure: failureOf(error) } });
      }
    });
  }

  /** The page of versions before those that are shown. */
  more(): Promise<void> {
    return this.once.pull("more", async () => {
      const { next, versions } = this.state.server;
      if (next === null) return;
      const page = await this.live.calls.history(this.path, next);
      // The list may have begun anew meanwhile.
      if (this.state.server.versions !== versions) return;
      const all = [...versions, ...page.versions];
      this.become({ server: { versions: all, failure: null, next: page.next ?? null } });
    });
  }

  /** Makes one list of what both told. What was chosen may be the server's now: then that is chosen. */
  private become(told: Partial<Pick<HistoryState, "server" | "here">>): void {
    const { server, here, chosen } = { ...this.state, ...told };
    const more = server.next !== null && server.failure === null;
    const versions = joined(server.versions, here.versions, more);
    const found =
      chosen &&
      (versions.find((one) => isSame(one, chosen)) ?? versions.find((one) => has(one, chosen)));
    this.store.setState({ ...told, versions, chosen: found ?? chosen });
  }

  choose(version: Past | null): void {
    const { chosen } = this.state;
    if (chosen === version || (chosen && version && isSame(chosen, version))) return;
    this.store.setState({ chosen: version, before: null, problem: "" });
    void this.read();
  }

  /** To an older version (1) or a newer one (-1). */
  step(by: 1 | -1): void {
    const { versions } = this.state;
    const to = versions[Math.min(versions.length - 1, Math.max(0, this.at + by))];
    if (to) this.choose(to);
  }

  /** Makes a version the present; answers how to take that back, null where nothing stood. */
  async restore(version: Past): Promise<(() => Promise<void>) | null> {
    const stood = await this.sideOf(null);
    const { versions } = this.state.server;
    await this.bring(version);
    if (typeof stood === "string") return null;
    // The server's restore may be still on its way here: what takes it back goes the same way.
    const before = version.here
      ? undefined
      : versions.find(({ kept, entry }) => kept && entry?.hash === stood.hash);
    return () => (before ? this.bring(before) : this.write(stood.bytes));
  }

  private async bring(version: Past): Promise<void> {
    const { path, revision, here } = version;
    if (here) return this.write((await this.live.calls.read(path, revision, here)).bytes);
    await this.live.calls.restore(revision, this.path, path);
    await this.live.pullFiles();
  }

  /** As a save. */
  private async write(bytes: Content["bytes"]): Promise<void> {
    const { entry, revision } = await this.live.calls.write(this.path, bytes, "any");
    if (entry) this.live.wrote(this.path, entry, revision);
  }

  private read(): Promise<void> {
    return this.once.pull("read", async () => {
      const { version } = this;
      if (!version) return;
      try {
        const [before, now] = await Promise.all([
          this.sideOf(version.entry ? (version.kept ? version : "dropped") : "deleted"),
          this.sideOf(null),
        ]);
        // Another one may have been chosen meanwhile, or the server's in place of this computer's.
        const { version: chosen } = this;
        if (chosen && (isSame(chosen, version) || has(chosen, version)))
          this.store.setState({ before, now, problem: "" });
      } catch (error) {
        this.store.setState({ problem: failureOf(error).detail });
      }
    });
  }

  /** Null is the present. */
  private async sideOf(at: Past | "deleted" | "dropped" | null): Promise<Side> {
    if (typeof at === "string") return at;
    try {
      return await this.live.calls.read(at?.path ?? this.path, at?.revision, at?.here);
    } catch (error) {
      const { code } = failureOf(error);
      if (code === "not_found") return "deleted";
      if (code === "content_missing") return "dropped";
      throw error;
    }
  }
}

/** How many lines came and went between two texts. */
export function changed(before: string, after: string): { added: number; removed: number } {
  const hunks = diff(lines(before), lines(after));
  return {
    added: hunks.reduce((sum, hunk) => sum + hunk.to - hunk.from, 0),
    removed: hunks.reduce((sum, hunk) => sum + hunk.end - hunk.start, 0),
  };
}

/** Null for what is no text; a file that is deleted has none. */
export function textOf(side: Side | null): string | null {
  if (side === null || side === "dropped") return null;
  if (side === "deleted") return "";
  if (side.bytes.subarray(0, 8_000).includes(0)) return null;
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(side.bytes);
  } catch {
    return null;
  }
}
