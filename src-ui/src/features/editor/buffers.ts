/** All open texts: read, saved by themselves, brought together with what the server says, and never overwriting it. */
import type { Draft } from "../../host/drafts";
import type { Host, Tab } from "../../host/host";
import { type Content, failureOf, isOffline } from "../../host/ide";
import type { LiveWorkspace, Moved } from "../../host/live";
import { Buffer, type BufferInfo, type Known, type TextModel, type Theirs } from "./buffer";
import { Keeper } from "./keeper";
import { decode, isText, Saving } from "./saving";
import { shapeOf } from "./shape";
import { Shelf } from "./shelf";

/** What the buffers need of the host. */
export type BuffersHost = Pick<Host, "drafts" | "after" | "now">;

export class Buffers<M extends TextModel = TextModel> {
  private readonly shelf = new Shelf<M>();
  private readonly keeper: Keeper;
  private readonly saving: Saving<M>;
  private readonly stops: (() => void)[] = [];

  constructor(
    private readonly live: LiveWorkspace,
    host: BuffersHost,
    tab: Tab,
    private readonly makeModel: (path: string, text: string) => M,
    /** Whether models can be made, once that is known. What they are made of is asked for before. */
    private readonly canMake: Promise<boolean> = Promise.resolve(true),
  ) {
    this.keeper = new Keeper(host.drafts, live.calls.workspace, tab, host.now);
    this.saving = new Saving(live, host.after, this.shelf, this.keeper, {
      quiet: (buffer) => this.quieted(buffer),
      reload: (buffer) => void this.reload(buffer.path),
    });
    this.stops.push(live.onChanges((changes) => this.changed(changes)));
    this.stops.push(
      live.store.subscribe((state, before) => {
        const online = state.connection.state === "online";
        if (online && before.connection.state !== "online") this.backOnline();
      }),
    );
  }

  get store() {
    return this.shelf.store;
  }

  get workspace(): string {
    return this.live.calls.workspace;
  }

  /** Keeps what is unsaved and lets go of everything. */
  dispose(): void {
    void this.flush();
    for (const stop of this.stops) stop();
    for (const buffer of this.shelf.all()) this.shelf.drop(buffer);
  }

  info(path: string): BufferInfo | null {
    return this.store.getState().byPath.get(path) ?? null;
  }

  model(path: string): M | null {
    return this.shelf.get(path)?.model ?? null;
  }

  content(path: string): Content | null {
    return this.shelf.get(path)?.content ?? null;
  }

  /** What stands on the server beside an unsaved text; null when there is no conflict or it is not a text. */
  theirs(path: string): string | null {
    return this.shelf.get(path)?.theirs?.text ?? null;
  }

  /** Paths with unsaved texts of an earlier visit. */
  draftPaths(): Promise<string[]> {
    return this.keeper.paths();
  }

  /** Opens a file, or shows again what is still open behind a closed tab. */
  read(path: string): Promise<void> {
    const known = this.shelf.get(path);
    if (known) {
      known.shown = true;
      return known.opening;
    }
    const buffer = new Buffer<M>(path);
    this.shelf.put(buffer);
    buffer.opening = this.load(buffer);
    return buffer.opening;
  }

  /** Reads again what could not be read, or is no longer what it was. */
  reload(path: string): Promise<void> {
    const buffer = this.shelf.get(path);
    if (buffer) this.shelf.drop(buffer);
    return this.read(path);
  }

  /** Its tab is closed. An unsaved text lives on behind it until the server has it. */
  close(path: string): void {
    const buffer = this.shelf.get(path);
    if (!buffer) return;
    buffer.shown = false;
    if (buffer.quiet) this.shelf.drop(buffer);
  }

  /** Closes without keeping what is unsaved. */
  async discard(path: string): Promise<void> {
    const buffer = this.shelf.get(path);
    if (!buffer) return;
    this.shelf.drop(buffer);
    await this.keeper.forget(path);
  }

  /** The person deleted it. False for a text with edits that nothing else holds: it stays, for them to decide. */
  removed(path: string): boolean {
    const buffer = this.shelf.get(path);
    if (!buffer) return true;
    const { quiet } = buffer;
    if (quiet) this.shelf.drop(buffer);
    return quiet;
  }

  /** True when everything is on the server. */
  async saveAll(): Promise<boolean> {
    await Promise.all(this.shelf.all().map((buffer) => buffer.opening));
    await Promise.all(this.shelf.all().map(({ path }) => this.save(path)));
    return this.shelf.infos().every((info) => info.save === "clean");
  }

  /** Saves a text over exactly what it was made from. What was deleted is left alone: only `revive` makes it again. */
  async save(path: string): Promise<void> {
    const buffer = this.shelf.get(path);
    if (buffer) await this.saving.save(buffer);
  }

  /** Makes a deleted file again from its open text. */
  async revive(path: string): Promise<void> {
    const buffer = this.shelf.get(path);
    if (buffer) await this.saving.revive(buffer);
  }

  /** Mine replaces the version with this hash; nothing happens when another one stands there by now. */
  async keepMine(path: string, shown: string): Promise<void> {
    const buffer = this.shelf.get(path);
    if (!buffer?.keepMine(shown)) return;
    this.shelf.publish(buffer);
    await this.save(path);
  }

  async takeTheirs(path: string, shown: string): Promise<void> {
    const buffer = this.shelf.get(path);
    const theirs = buffer?.theirs;
    if (!buffer || theirs?.hash !== shown) return;
    if (theirs.text === null) {
      await this.discard(path);
      return this.read(path);
    }
    buffer.take({ hash: theirs.hash, text: theirs.text });
    this.saving.settled(buffer);
  }

  /** A file or folder moved: its open texts go along, edits and all. */
  async moved(from: string, to: string): Promise<void> {
    const inside = this.shelf
      .all()
      .filter(({ path }) => path === from || path.startsWith(`${from}/`));
    for (const old of inside) this.follow(old, to + old.path.slice(from.length));
    await this.keeper.move(from, to);
  }

  /** Keeps everything unsaved now: the page may be gone in a moment. */
  async flush(): Promise<void> {
    const unkept = this.shelf
      .all()
      .filter((buffer) => buffer.dirty && buffer.kept !== buffer.model?.version());
    await Promise.all(unkept.map((buffer) => this.keeper.keep(buffer)));
  }

  /** Whether leaving now would lose something, because the browser refuses to keep it. */
  get unsafe(): boolean {
    return this.shelf.all().some((buffer) => buffer.dirty && buffer.kept === null);
  }

  private async load(buffer: Buffer<M>): Promise<void> {
    const { path } = buffer;
    const size = this.live.entries.get(path)?.size ?? 0;
    const huge = shapeOf(path, size, null) === "huge";
    // Neither waits for the other: the drafts are on this computer, the content is not.
    const reading = huge ? null : this.live.calls.read(path);
    reading?.catch(() => undefined);
    const [draft, ...further] = await this.keeper.of(path);
    if (!(await this.canMake)) return;
    buffer.pending.push(...further);
    if (!this.shelf.holds(buffer)) return;
    if (draft) return this.resume(buffer, draft);
    try {
      if (!reading) {
        buffer.shape = "huge";
        return this.shelf.publish(buffer);
      }
      const content = await reading;
      if (!this.shelf.holds(buffer)) return;
      buffer.shape = shapeOf(path, content.bytes.length, content.bytes);
      if (isText(buffer.shape)) this.start(buffer, { hash: content.hash, text: decode(content) });
      else {
        buffer.content = content;
        this.shelf.publish(buffer);
      }
    } catch (error) {
      if (!this.shelf.holds(buffer)) return;
      const failure = failureOf(error);
      buffer.shape = isOffline(failure) ? "away" : "error";
      buffer.problem = failure.detail;
      this.shelf.publish(buffer);
    }
  }

  private start(buffer: Buffer<M>, known: Known): void {
    buffer.start(this.makeModel(buffer.path, known.text), known.hash, () => this.typed(buffer));
    this.saving.settled(buffer);
    this.saving.settle(buffer);
  }

  /** What was kept is there without any server; what stands there is met as soon as the tree tells of it. */
  private resume(buffer: Buffer<M>, draft: Draft): void {
    const known = { hash: draft.base, text: draft.baseText };
    buffer.shape = "text";
    buffer.start(this.makeModel(buffer.path, known.text), known.hash, () => this.typed(buffer));
    this.adopt(buffer, draft, known);
    this.saving.settle(buffer);
  }

  /** Brings an unsaved text of an earlier visit in, over what the server has. */
  private adopt(buffer: Buffer<M>, draft: Draft, known: Theirs): void {
    const { gone } = buffer;
    buffer.adopt(draft);
    if (!gone) buffer.meet(known);
    this.saving.settled(buffer);
    if (!this.keeper.isOwn(draft)) {
      // Ours first, then theirs away: a crash in between leaves two, never none.
      const ours = buffer.dirty ? this.keeper.keep(buffer) : Promise.resolve(true);
      void ours.then((safe) => (safe ? this.keeper.drop(draft) : undefined));
    }
  }

  private typed(buffer: Buffer<M>): void {
    this.saving.schedule(buffer);
    this.shelf.publish(buffer);
    if (!buffer.dirty && !buffer.theirs) void this.keeper.forget(buffer.path);
  }

  /** The next draft of an earlier visit has its turn; without one, a buffer behind a closed tab has done its work. */
  private quieted(buffer: Buffer<M>): void {
    const next = buffer.model ? buffer.pending.shift() : undefined;
    if (next) this.adopt(buffer, next, { hash: buffer.base.hash, text: buffer.base.text });
    else if (!buffer.shown) this.shelf.drop(buffer);
  }

  private follow(old: Buffer<M>, to: string): void {
    const { model, path } = old;
    const taken = this.shelf.get(to);
    if (taken && !taken.quiet) {
      this.saving.settle(old);
      return;
    }
    if (taken) this.shelf.drop(taken);
    const draft = { base: old.base.hash, baseText: old.base.text, doubts: [...old.doubts] };
    const text = model?.text() ?? "";
    const { saving, shown, pending, content, shape } = old;
    this.shelf.drop(old);
    if (!model) {
      if (shown) void this.read(to);
      return;
    }
    const buffer = new Buffer<M>(to);
    Object.assign(buffer, { shown, content, shape });
    this.shelf.put(buffer);
    buffer.pending.push(...pending.map((one) => ({ ...one, path: to })));
    buffer.start(this.makeModel(to, draft.baseText), draft.base, () => this.typed(buffer));
    buffer.adopt({ ...draft, text, doubts: saving ? [...draft.doubts, text] : draft.doubts });
    if (buffer.dirty) void this.keeper.keep(buffer);
    void this.keeper.forget(path);
    this.saving.settled(buffer);
    this.saving.settle(buffer);
  }

  private changed(changes: readonly Moved[] | "reset"): void {
    const paths =
      changes === "reset"
        ? this.shelf.all().map(({ path }) => path)
        : changes.map((one) => one.path);
    for (const path of new Set(paths)) {
      const buffer = this.shelf.get(path);
      if (buffer) this.saving.settle(buffer);
    }
  }

  private backOnline(): void {
    for (const buffer of this.shelf.all()) {
      if (buffer.shape === "away" || buffer.shape === "error") void this.reload(buffer.path);
      else this.saving.settle(buffer);
    }
    void this.saveAll();
  }
}
