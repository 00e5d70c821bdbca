/** Open texts as a fourth replica: each knows the content it was made from, and nothing is overwritten silently. */
import { createStore } from "zustand/vanilla";
import type { Draft, DraftStore } from "../../host/drafts";
import type { Change } from "../../host/generated/api/Change";
import type { Tab } from "../../host/host";
import { type Content, failureOf, isOffline } from "../../host/ide";
import type { LiveWorkspace } from "../../host/live";
import { edits, type LineEdit, merge } from "../../host/merge";
import { type Shape, shapeOf } from "./shape";

/** The text as an editor holds it. */
export interface TextModel {
  text(): string;
  /** Equal numbers mean equal texts, also after undo. */
  version(): number;
  /** One undoable step that keeps cursors outside of the edits. */
  edit(edits: readonly LineEdit[]): void;
  onChange(listener: () => void): void;
  dispose(): void;
}

export type SaveState = "clean" | "unsaved" | "saving" | "waiting" | "failed" | "conflict";

export interface BufferInfo {
  path: string;
  shape: Shape | "loading" | "error";
  save: SaveState;
  /** Why it could not be read or saved, for people. */
  problem: string;
  /** Deleted on the server while it was open. */
  gone: boolean;
  readOnly: boolean;
}

interface Known {
  hash: string;
  text: string;
}

interface Buffer {
  path: string;
  model: TextModel | null;
  content: Content | null;
  base: Known;
  cleanVersion: number;
  theirs: Known | null;
  saving: Promise<void> | null;
  cancelSave: (() => void) | null;
  cancelDraft: (() => void) | null;
  opening: Promise<void>;
}

export interface BuffersState {
  byPath: ReadonlyMap<string, BufferInfo>;
}

const AUTOSAVE_MS = 800;
const DRAFT_MS = 300;
const RETRY_MS = 4_000;

export class Buffers {
  readonly store = createStore<BuffersState>(() => ({ byPath: new Map() }));
  private readonly open = new Map<string, Buffer>();
  private readonly encoder = new TextEncoder();
  private orphans: Promise<Draft[]> | null = null;
  private readonly stops: (() => void)[] = [];

  get workspace(): string {
    return this.live.calls.workspace;
  }

  constructor(
    private readonly live: LiveWorkspace,
    private readonly drafts: DraftStore,
    private readonly tab: Tab,
    private readonly makeModel: (path: string, text: string) => TextModel,
    private readonly after: (ms: number, run: () => void) => () => void,
    private readonly now: () => number,
  ) {
    this.stops.push(live.onChanges((changes) => this.changed(changes)));
    this.stops.push(
      live.store.subscribe((state, before) => {
        const online = state.connection.state === "online";
        if (online && before.connection.state !== "online") void this.saveAll();
      }),
    );
  }

  dispose(): void {
    for (const stop of this.stops) stop();
    for (const path of [...this.open.keys()]) this.close(path);
  }

  info(path: string): BufferInfo | null {
    return this.store.getState().byPath.get(path) ?? null;
  }

  content(path: string): Content | null {
    return this.open.get(path)?.content ?? null;
  }

  /** What stands on the server beside an unsaved text that could not be merged. */
  theirs(path: string): string | null {
    return this.open.get(path)?.theirs?.text ?? null;
  }

  /** Paths with drafts of this tab, or of tabs that are gone. */
  async draftPaths(): Promise<string[]> {
    return [...new Set((await this.adoptable()).map((draft) => draft.path))];
  }

  read(path: string): Promise<void> {
    const known = this.open.get(path);
    if (known) return known.opening;
    const buffer: Buffer = {
      path,
      model: null,
      content: null,
      base: { hash: "", text: "" },
      cleanVersion: 0,
      theirs: null,
      saving: null,
      cancelSave: null,
      cancelDraft: null,
      opening: Promise.resolve(),
    };
    this.open.set(path, buffer);
    this.show(buffer, {
      shape: "loading",
      save: "clean",
      problem: "",
      gone: false,
      readOnly: false,
    });
    buffer.opening = this.load(buffer);
    return buffer.opening;
  }

  /** Tries again what could not be read. */
  reload(path: string): Promise<void> {
    this.close(path);
    return this.read(path);
  }

  close(path: string): void {
    const buffer = this.open.get(path);
    if (!buffer) return;
    buffer.cancelSave?.();
    buffer.cancelDraft?.();
    if (this.dirty(buffer)) void this.keepDraft(buffer);
    buffer.model?.dispose();
    this.open.delete(path);
    this.publish(path, null);
  }

  /** True when everything is on the server. */
  async saveAll(): Promise<boolean> {
    await Promise.all([...this.open.keys()].map((path) => this.save(path)));
    return [...this.store.getState().byPath.values()].every((info) => info.save === "clean");
  }

  async save(path: string): Promise<void> {
    const buffer = this.open.get(path);
    if (!buffer?.model || buffer.theirs) return;
    buffer.cancelSave?.();
    buffer.cancelSave = null;
    if (buffer.saving) {
      await buffer.saving;
      return this.save(path);
    }
    if (!this.dirty(buffer) && !this.info(path)?.gone) return;
    buffer.saving = this.put(buffer);
    await buffer.saving;
  }

  keepMine(path: string): Promise<void> {
    const buffer = this.open.get(path);
    if (!buffer?.theirs) return Promise.resolve();
    buffer.base = buffer.theirs;
    buffer.theirs = null;
    return this.save(path);
  }

  takeTheirs(path: string): void {
    const buffer = this.open.get(path);
    if (!buffer?.theirs) return;
    const theirs = buffer.theirs;
    buffer.theirs = null;
    this.become(buffer, theirs, theirs.text);
  }

  /** The open text moved with its file. */
  moved(from: string, to: string): void {
    for (const path of [...this.open.keys()]) {
      if (path !== from && !path.startsWith(`${from}/`)) continue;
      this.close(path);
    }
    void this.drafts.move(this.live.calls.workspace, from, to);
  }

  /** Closes without keeping what is unsaved. */
  async discard(path: string): Promise<void> {
    const buffer = this.open.get(path);
    if (!buffer) return;
    buffer.cleanVersion = buffer.model?.version() ?? 0;
    this.close(path);
    await this.drafts.remove(this.live.calls.workspace, path, this.tab.id);
  }

  private async load(buffer: Buffer): Promise<void> {
    const draft = (await this.adoptable()).find((one) => one.path === buffer.path) ?? null;
    const size = this.live.entries.get(buffer.path)?.size ?? 0;
    try {
      const early = shapeOf(buffer.path, size, null);
      if (early === "huge") return this.show(buffer, { shape: "huge", readOnly: true });
      const content = await this.live.calls.read(buffer.path);
      if (this.open.get(buffer.path) !== buffer) return;
      buffer.content = content;
      const shape = shapeOf(buffer.path, content.bytes.length, content.bytes);
      if (shape !== "text" && shape !== "large")
        return this.show(buffer, { shape, readOnly: true });
      const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(content.bytes);
      this.start(buffer, { hash: content.hash, text }, draft, shape);
    } catch (error) {
      const failure = failureOf(error);
      if (draft && (isOffline(failure) || failure.code === "not_found")) {
        this.start(buffer, { hash: draft.base, text: draft.baseText }, draft, "text");
        if (failure.code === "not_found") this.vanish(buffer);
        return;
      }
      this.show(buffer, { shape: "error", problem: failure.detail });
    }
  }

  private start(buffer: Buffer, known: Known, draft: Draft | null, shape: Shape): void {
    const first = draft ? { hash: draft.base, text: draft.baseText } : known;
    const model = this.makeModel(buffer.path, first.text);
    buffer.model = model;
    // An editor may unify line ends on loading; that is not an edit.
    buffer.base = { hash: first.hash, text: model.text() };
    buffer.cleanVersion = model.version();
    if (draft && draft.text !== buffer.base.text) model.edit(edits(buffer.base.text, draft.text));
    model.onChange(() => this.edited(buffer));
    this.show(buffer, {
      shape,
      readOnly: shape === "large",
      save: this.dirty(buffer) ? "unsaved" : "clean",
    });
    if (known.hash !== buffer.base.hash) this.reconcile(buffer, known);
    if (this.dirty(buffer)) this.edited(buffer);
  }

  private edited(buffer: Buffer): void {
    const dirty = this.dirty(buffer);
    if (!buffer.theirs && this.info(buffer.path)?.save !== "saving")
      this.show(buffer, { save: dirty ? "unsaved" : "clean", problem: "" });
    buffer.cancelSave?.();
    buffer.cancelSave = null;
    if (!dirty) {
      if (!buffer.theirs) void this.forgetDraft(buffer, this.now());
      return;
    }
    if (!buffer.cancelDraft)
      buffer.cancelDraft = this.after(DRAFT_MS, () => {
        buffer.cancelDraft = null;
        if (this.dirty(buffer)) void this.keepDraft(buffer);
      });
    if (buffer.theirs || this.info(buffer.path)?.gone) return;
    buffer.cancelSave = this.after(AUTOSAVE_MS, () => void this.save(buffer.path));
  }

  private async put(buffer: Buffer): Promise<void> {
    const model = buffer.model as TextModel;
    const text = model.text();
    const version = model.version();
    const at = this.now();
    const gone = this.info(buffer.path)?.gone ?? false;
    this.show(buffer, { save: "saving", problem: "" });
    try {
      const written = await this.live.calls.write(
        buffer.path,
        this.encoder.encode(text),
        gone ? "" : buffer.base.hash,
      );
      buffer.base = { hash: written.entry?.hash ?? buffer.base.hash, text };
      buffer.cleanVersion = version;
      buffer.saving = null;
      this.live.wrote(buffer.path, written.entry, written.revision);
      await this.forgetDraft(buffer, at);
      this.show(buffer, { save: this.dirty(buffer) ? "unsaved" : "clean", gone: false });
      if (this.dirty(buffer)) this.edited(buffer);
    } catch (error) {
      buffer.saving = null;
      await this.putFailed(buffer, error);
    }
  }

  private async putFailed(buffer: Buffer, error: unknown): Promise<void> {
    const failure = failureOf(error);
    void this.keepDraft(buffer);
    if (failure.code === "stale" || failure.status === 412) {
      this.show(buffer, { save: "unsaved" });
      await this.compare(buffer);
    } else if (isOffline(failure)) {
      this.show(buffer, { save: "waiting", problem: "" });
      // The socket may not have noticed yet; and a server that was busy is asked again.
      this.live.socket.retry();
      buffer.cancelSave?.();
      buffer.cancelSave = this.after(RETRY_MS, () => void this.save(buffer.path));
    } else this.show(buffer, { save: "failed", problem: failure.detail });
  }

  /** Reads what stands on the server and brings the open text together with it. */
  private async compare(buffer: Buffer): Promise<void> {
    try {
      const content = await this.live.calls.read(buffer.path);
      if (this.open.get(buffer.path) !== buffer || !buffer.model) return;
      buffer.content = content;
      const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(content.bytes);
      this.reconcile(buffer, { hash: content.hash, text });
    } catch (error) {
      const failure = failureOf(error);
      if (failure.code === "not_found") this.vanish(buffer);
      else if (!isOffline(failure)) this.show(buffer, { save: "failed", problem: failure.detail });
    }
  }

  private reconcile(buffer: Buffer, theirs: Known): void {
    const model = buffer.model as TextModel;
    const mine = model.text();
    if (theirs.hash === buffer.base.hash) return;
    if (theirs.text === mine || !this.dirty(buffer)) {
      buffer.theirs = null;
      this.become(buffer, theirs, theirs.text);
      return;
    }
    const merged = merge(buffer.base.text, mine, theirs.text, buffer.path);
    if (merged.clean) {
      buffer.theirs = null;
      buffer.base = theirs;
      buffer.cleanVersion = -1;
      model.edit(edits(mine, merged.text));
      if (merged.text === theirs.text) this.become(buffer, theirs, theirs.text);
      else this.edited(buffer);
      return;
    }
    buffer.theirs = theirs;
    void this.keepDraft(buffer);
    this.show(buffer, { save: "conflict", problem: merged.reason, gone: false });
  }

  /** The text is from now on exactly this content of the server. */
  private become(buffer: Buffer, known: Known, text: string): void {
    const model = buffer.model as TextModel;
    buffer.base = known;
    model.edit(edits(model.text(), text));
    buffer.cleanVersion = model.version();
    buffer.cancelSave?.();
    buffer.cancelSave = null;
    void this.forgetDraft(buffer, this.now());
    this.show(buffer, { save: "clean", problem: "", gone: false });
  }

  private changed(changes: readonly Change[] | "reset"): void {
    const touched = changes === "reset" ? [...this.open.keys()] : changes.map((one) => one.path);
    for (const path of new Set(touched)) {
      const buffer = this.open.get(path);
      if (!buffer) continue;
      const entry = this.live.entries.get(path);
      if (!entry) this.vanish(buffer);
      else if (buffer.model) {
        const known = buffer.theirs?.hash ?? buffer.base.hash;
        if (!buffer.saving && entry.hash !== known) void this.compare(buffer);
      } else if (entry.hash !== buffer.content?.hash && this.info(path)?.shape !== "loading")
        void this.reload(path);
    }
  }

  private vanish(buffer: Buffer): void {
    buffer.cancelSave?.();
    buffer.cancelSave = null;
    this.show(buffer, { gone: true, save: this.dirty(buffer) ? "unsaved" : "clean" });
  }

  private dirty(buffer: Buffer): boolean {
    return buffer.model !== null && buffer.model.version() !== buffer.cleanVersion;
  }

  private async keepDraft(buffer: Buffer): Promise<void> {
    if (!buffer.model) return;
    const { path, base } = buffer;
    const draft: Draft = {
      workspace: this.live.calls.workspace,
      path,
      base: base.hash,
      baseText: base.text,
      text: buffer.model.text(),
      tab: this.tab.id,
      at: this.now(),
    };
    try {
      await this.drafts.put(draft);
    } catch {
      // A browser without storage: the text stays in the editor and is saved when it can be.
    }
  }

  private async forgetDraft(buffer: Buffer, until: number): Promise<void> {
    const known = await this.adoptable();
    this.orphans = Promise.resolve(known.filter((draft) => draft.path !== buffer.path));
    const mine = known.filter((draft) => draft.path === buffer.path).map((draft) => draft.tab);
    try {
      for (const tab of new Set([this.tab.id, ...mine]))
        await this.drafts.remove(this.live.calls.workspace, buffer.path, tab, until);
    } catch {
      // As above.
    }
  }

  /** Drafts that are this tab's, or whose tab is gone. */
  private adoptable(): Promise<Draft[]> {
    this.orphans ??= (async () => {
      try {
        const [all, tabs] = await Promise.all([
          this.drafts.all(this.live.calls.workspace),
          this.tab.living(),
        ]);
        return all.filter(
          (draft) => draft.tab === this.tab.id || (tabs !== null && !tabs.has(draft.tab)),
        );
      } catch {
        return [];
      }
    })();
    return this.orphans;
  }

  private show(buffer: Buffer, part: Partial<BufferInfo>): void {
    if (this.open.get(buffer.path) !== buffer) return;
    const before = this.info(buffer.path);
    const next = { ...before, path: buffer.path, ...part } as BufferInfo;
    const same =
      before &&
      (Object.keys(part) as (keyof BufferInfo)[]).every((key) => before[key] === part[key]);
    if (!same) this.publish(buffer.path, next);
  }

  private publish(path: string, info: BufferInfo | null): void {
    const byPath = new Map(this.store.getState().byPath);
    if (info) byPath.set(path, info);
    else byPath.delete(path);
    this.store.setState({ byPath });
  }
}
