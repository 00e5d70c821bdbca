/** The conflicts that somebody looked at: what was decided about one stays while others are looked at. */

import { whenLeaving } from "../../../bench/leaving";
import type { Here } from "../../../host/here";
import type { LiveWorkspace } from "../../../host/live";
import { languageOf } from "../shape";
import { type KeeperHost, MergeKeeper } from "./mergeKeeper";
import { type MakeText, Resolver } from "./resolver";
import { MonacoResult } from "./resultText";

export class Resolvers {
  private readonly made = new Map<string, Resolver>();
  private readonly keeper: MergeKeeper;
  private readonly stops: (() => void)[];

  constructor(
    private readonly live: LiveWorkspace,
    private readonly here: Here,
    host: KeeperHost,
  ) {
    this.keeper = new MergeKeeper(host, live.calls.workspace);
    this.stops = [
      here.store.subscribe(({ conflicts }, before) => {
        const standing = new Set(conflicts.map(({ copy }) => copy));
        for (const { copy } of before.conflicts) if (!standing.has(copy)) this.over(copy);
      }),
      whenLeaving(() => void this.putDown()),
    ];
  }

  /** Keeps what is not saved, now. */
  putDown(): Promise<void> {
    return this.keeper.flush();
  }

  private over(copy: string): void {
    this.made.get(copy)?.dispose();
    this.made.delete(copy);
    void this.keeper.forget(copy);
  }

  dispose(): void {
    void this.putDown();
    for (const stop of this.stops) stop();
    for (const resolver of this.made.values()) resolver.dispose();
    this.made.clear();
  }

  /** The one with this copy; null when it stands no more. */
  of(copy: string): Resolver | null {
    const known = this.made.get(copy);
    if (known) return known;
    const conflict = this.here.state.conflicts.find((one) => one.copy === copy);
    if (!conflict) return null;
    const { path } = conflict;
    const makeText: MakeText = async (parts, crlf) => {
      const monaco = await import("../monaco");
      monaco.applyTheme();
      return new MonacoResult(monaco, copy, languageOf(path), parts, crlf);
    };
    const resolver = new Resolver(conflict, this.live, this.here, makeText, this.keeper);
    this.made.set(copy, resolver);
    return resolver;
  }
}
