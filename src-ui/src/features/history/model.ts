/** The versions of one file, and the one that is held against the present. */
import { createStore } from "zustand/vanilla";
import type { Version } from "../../host/generated/api/Version";
import { type Content, type Failure, failureOf } from "../../host/ide";
import type { LiveWorkspace } from "../../host/live";
import { diff, lines } from "../../host/merge";
import { Once } from "../../host/once";

/** What stands on one side: bytes, nothing because it was deleted, or nothing because nobody keeps it. */
export type Side = Content | "deleted" | "dropped";

export interface HistoryState {
  loaded: "loading" | "ready" | "failed";
  failure: Failure | null;
  /** Newest first. */
  versions: readonly Version[];
  /** Asks for older ones; null when these are all. */
  next: number | null;
  /** The one that is held against the present. */
  chosen: Version | null;
  before: Side | null;
  now: Side | null;
  /** Why the two could not be read. */
  problem: string;
}

const NOTHING: HistoryState = {
  loaded: "loading",
  failure: null,
  versions: [],
  next: null,
  chosen: null,
  before: null,
  now: null,
  problem: "",
};

export class FileHistory {
  readonly store = createStore<HistoryState>(() => NOTHING);
  private readonly once = new Once();
  private readonly stop: () => void;

  constructor(
    private readonly live: LiveWorkspace,
    readonly path: string,
  ) {
    this.stop = live.onChanges((changes) => {
      if (changes === "reset" || changes.some((one) => one.path === path)) void this.load();
    });
    void this.load();
  }

  get state(): HistoryState {
    return this.store.getState();
  }

  /** The chosen version; null while none is. */
  get version(): Version | null {
    return this.state.versions[this.at] ?? null;
  }

  /** Which of the versions is chosen. */
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
    this.stop();
  }

  load(): Promise<void> {
    return this.once.pull("list", async () => {
      try {
        const { versions, next } = await this.live.calls.history(this.path);
        this.store.setState({ loaded: "ready", failure: null, versions, next: next ?? null });
        const { chosen } = this.state;
        // The newest is the present: what was before it says more.
        if (chosen === null) this.choose(versions[1] ?? versions[0] ?? null);
        else void this.read();
      } catch (error) {
        const failure = failureOf(error);
        // What was listed stays for as long as nobody knows better.
        const loaded = this.state.versions.length > 0 ? this.state.loaded : "failed";
        this.store.setState({ loaded, failure });
      }
    });
  }

  /** The page of versions before those that are shown. */
  more(): Promise<void> {
    return this.once.pull("more", async () => {
      const { next, versions } = this.state;
      if (next === null) return;
      const page = await this.live.calls.history(this.path, next);
      const all = [...versions, ...page.versions];
      this.store.setState({ versions: all, next: page.next ?? null });
    });
  }

  choose(version: Version | null): void {
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

  /** Writes the chosen version as a new one; answers the newest before it, to go back to. */
  async restore(): Promise<Version | null> {
    const { version } = this;
    const [newest = null] = this.state.versions;
    if (!version) return null;
    await this.live.calls.restore(version.revision, this.path, version.path);
    await this.live.pullFiles();
    await this.load();
    return newest;
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
        // Another one may have been chosen meanwhile.
        const { version: chosen } = this;
        if (chosen && isSame(chosen, version)) this.store.setState({ before, now, problem: "" });
      } catch (error) {
        this.store.setState({ problem: failureOf(error).detail });
      }
    });
  }

  /** Null is the present. */
  private async sideOf(at: Version | "deleted" | "dropped" | null): Promise<Side> {
    if (typeof at === "string") return at;
    try {
      return await this.live.calls.read(at?.path ?? this.path, at?.revision);
    } catch (error) {
      const { code } = failureOf(error);
      if (code === "not_found") return "deleted";
      if (code === "content_missing") return "dropped";
      throw error;
    }
  }
}

/** Under two names a file may have a version of one revision each. */
function isSame(one: Version, other: Version): boolean {
  return one.revision === other.revision && one.path === other.path;
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
