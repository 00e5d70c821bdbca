/** Drafts of open texts: written while somebody types, forgotten when the server has the text, adopted after a reload. */
import type { Draft, DraftStore } from "../../host/drafts";
import type { Tab } from "../../host/host";
import type { Buffer } from "./buffer";

export class Keeper {
  constructor(
    private readonly drafts: DraftStore,
    private readonly workspace: string,
    private readonly tab: Tab,
    private readonly now: () => number,
  ) {}

  /** Paths with drafts of this tab, or of tabs that are gone. */
  async paths(): Promise<string[]> {
    return [...new Set((await this.adoptable()).map((draft) => draft.path))];
  }

  /** Drafts of a path that may be brought back: this tab's own first, then the newest. */
  async of(path: string): Promise<Draft[]> {
    const found = (await this.adoptable()).filter((draft) => draft.path === path);
    const own = (draft: Draft) => Number(draft.tab === this.tab.id);
    return found.sort((a, b) => own(b) - own(a) || b.at - a.at);
  }

  /** Writes the text as it is now. A browser that refuses is remembered, so that nobody leaves unwarned. */
  async keep(buffer: Buffer): Promise<boolean> {
    const { model, base, path, doubts } = buffer;
    if (!model) return false;
    const version = model.version();
    const draft: Draft = {
      workspace: this.workspace,
      path,
      base: base.hash,
      baseText: base.text,
      text: model.text(),
      doubts: [...doubts],
      tab: this.tab.id,
      at: this.now(),
    };
    try {
      await this.drafts.put(draft);
      buffer.kept = this.drafts.lasting ? version : null;
      return true;
    } catch {
      buffer.kept = null;
      return false;
    }
  }

  /** This tab's text of a path is safe elsewhere. */
  forget(path: string): Promise<void> {
    return this.drop({ path, tab: this.tab.id });
  }

  /** The text of this draft lives on in an open buffer. */
  async drop(draft: Pick<Draft, "path" | "tab">): Promise<void> {
    try {
      await this.drafts.remove(this.workspace, draft.path, draft.tab);
    } catch {
      // It stays and is merged once more at the next visit, which changes nothing.
    }
  }

  async move(from: string, to: string): Promise<void> {
    try {
      await this.drafts.move(this.workspace, from, to);
    } catch {
      // The texts are still in the editor.
    }
  }

  isOwn(draft: Draft): boolean {
    return draft.tab === this.tab.id;
  }

  private async adoptable(): Promise<Draft[]> {
    try {
      const [all, living] = await Promise.all([this.drafts.all(this.workspace), this.tab.living()]);
      return all.filter(
        (draft) => this.isOwn(draft) || (living !== null && !living.has(draft.tab)),
      );
    } catch {
      return [];
    }
  }
}
