/** The conflicts that somebody looked at: what was decided about one stays while others are looked at. */
import type { Here } from "../../../host/here";
import type { LiveWorkspace } from "../../../host/live";
import { languageOf } from "../shape";
import { Resolver } from "./resolver";
import { MonacoResult } from "./resultText";

export class Resolvers {
  private readonly made = new Map<string, Resolver>();
  private readonly stop: () => void;

  constructor(
    private readonly live: LiveWorkspace,
    private readonly here: Here,
  ) {
    this.stop = here.store.subscribe(({ conflicts }) => {
      const standing = new Set(conflicts.map(({ copy }) => copy));
      for (const [copy, resolver] of this.made)
        if (!standing.has(copy)) {
          this.made.delete(copy);
          resolver.dispose();
        }
    });
  }

  dispose(): void {
    this.stop();
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
    const resolver = new Resolver(conflict, this.live, this.here, async (parts, crlf) => {
      const monaco = await import("../monaco");
      monaco.applyTheme();
      return new MonacoResult(monaco, copy, languageOf(path), parts, crlf);
    });
    this.made.set(copy, resolver);
    return resolver;
  }
}
