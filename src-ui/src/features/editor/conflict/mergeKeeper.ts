/** Merges that are not saved, kept as drafts as every unsaved text is: the result, and what was decided on the way. */
import type { MergeDraft } from "../../../host/drafts";
import type { Host } from "../../../host/host";

/** What the drafts need of the host. */
export type KeeperHost = Pick<Host, "merges" | "tab" | "now" | "after">;

/** A result as it stands. `baseText` is what the decisions alone would make of it. */
export type Standing = Pick<MergeDraft, "parts" | "baseText" | "text">;

const DRAFT_MS = 300;

export class MergeKeeper {
  /** What waits to be written, by copy. */
  private readonly due = new Map<string, { cancel: () => void; standing: () => Standing }>();

  constructor(
    private readonly host: KeeperHost,
    private readonly workspace: string,
  ) {}

  /** What was kept of the merge with this copy. */
  async of(copy: string): Promise<MergeDraft | null> {
    const all = await this.host.merges.all(this.workspace).catch(() => []);
    return all.find(({ path }) => path === copy) ?? null;
  }

  /** Keeps it soon: many keys make one draft. */
  soon(copy: string, standing: () => Standing): void {
    if (this.due.has(copy)) return;
    const cancel = this.host.after(DRAFT_MS, () => void this.write(copy));
    this.due.set(copy, { cancel, standing });
  }

  /** Keeps everything that waits, now. */
  async flush(): Promise<void> {
    await Promise.all([...this.due.keys()].map((copy) => this.write(copy)));
  }

  /** It is saved, or the conflict is over. */
  async forget(copy: string): Promise<void> {
    this.due.get(copy)?.cancel();
    this.due.delete(copy);
    const { merges, tab } = this.host;
    // What stays is carried into the same conflict once more, or into none.
    await merges.remove(this.workspace, copy, (await tab).id).catch(() => undefined);
  }

  private async write(copy: string): Promise<void> {
    const waits = this.due.get(copy);
    if (!waits) return;
    waits.cancel();
    this.due.delete(copy);
    // As it is now: the text may be gone with the page in a moment.
    const standing = waits.standing();
    const { merges, tab, now } = this.host;
    const { id } = await tab;
    const draft = { workspace: this.workspace, path: copy, base: "", doubts: [], tab: id };
    // A browser that refuses to keep it leaves it where it is, in the page.
    await merges.put({ ...draft, ...standing, at: now() }).catch(() => undefined);
  }
}
