/** The editor of one workspace: its tabs, their texts and the widget, and what they tell the rest of the page. */
import { createStore } from "zustand/vanilla";
import { BADGES } from "../../bench/badge";
import type { Badge, EditorFacts } from "../../bench/bench";
import { whenLeaving } from "../../bench/leaving";
import type { Host } from "../../host/host";
import type { LiveWorkspace } from "../../host/live";
import type { BufferInfo } from "./buffer";
import { Buffers } from "./buffers";
import type { MonacoText } from "./monaco";
import { NO_CARET, Stage, type View, type Writing } from "./stage";
import { OpenTabs } from "./tabs";

type Monaco = typeof import("./monaco");
export type Texts = Buffers<MonacoText>;

export class Editor {
  readonly tabs: OpenTabs<View>;
  readonly facts = createStore<EditorFacts>(() => ({
    ...NO_CARET,
    active: null,
    badges: new Map(),
    waitingBytes: 0,
  }));
  /** Of which file both versions are shown beside each other, while it is in conflict. */
  readonly comparing = createStore<{ path: string | null }>(() => ({ path: null }));
  /** The open texts, once the editor is there. */
  readonly buffers: Promise<Texts>;
  private made: Texts | null = null;
  private monaco: Monaco | null = null;
  private stage: Stage | null = null;
  /** The keys go to the text as soon as there is a place for it. */
  private entering = false;
  private wanted: { path: string; line: number } | null = null;
  private disposed = false;
  private readonly stops: (() => void)[] = [];

  constructor(
    private readonly live: LiveWorkspace,
    private readonly host: Host,
  ) {
    this.tabs = new OpenTabs(host.kept, live.calls.workspace);
    this.facts.setState({ active: this.tabs.active });
    this.stops.push(
      this.tabs.store.subscribe(({ active }, before) => {
        if (active !== before.active) this.facts.setState({ active });
      }),
    );
    this.buffers = this.make();
    // Whoever needs the texts hears of it; an editor that is closed has nobody.
    this.buffers.catch(() => undefined);
  }

  private async make(): Promise<Texts> {
    const arrived = import("./monaco").then((monaco) => this.arrive(monaco));
    const canMake = arrived.then(
      () => true,
      () => false,
    );
    const { workspace } = this.live.calls;
    const makeModel = (path: string, text: string) => {
      if (!this.monaco) throw new Error("invariant: no text is made before Monaco is there");
      return new this.monaco.MonacoText(workspace, path, text);
    };
    const tab = await this.host.tab;
    const buffers: Texts = new Buffers(this.live, this.host, tab, makeModel, canMake);
    // Monaco takes longer than these: both are there before it.
    const kept = buffers.draftPaths();
    kept.catch(() => undefined);
    const begun = this.readAhead(buffers);
    try {
      await arrived;
    } catch (error) {
      buffers.dispose();
      throw error;
    } finally {
      begun.stop();
    }
    this.made = buffers;
    this.stops.push(buffers.store.subscribe(() => this.textsMoved(buffers)));
    this.stops.push(this.watchLeaving(buffers));
    if (begun.path !== null && !this.tabs.has(begun.path)) buffers.close(begun.path);
    const drafts = await kept;
    if (this.disposed) throw new Error("The workspace was closed.");
    this.tabs.bring(drafts);
    for (const path of new Set([this.tabs.active, ...drafts])) if (path) void buffers.read(path);
    return buffers;
  }

  private arrive(monaco: Monaco): void {
    // Ended before the editor had arrived: making texts now would take them from the editor that follows.
    if (this.disposed) throw new Error("The workspace was closed.");
    this.monaco = monaco;
    monaco.applyTheme();
    monaco.measureOurFace();
  }

  /** Begins to read the shown file as soon as the tree tells how large it is. */
  private readAhead(buffers: Texts): { path: string | null; stop: () => void } {
    const begun: { path: string | null; stop: () => void } = { path: null, stop: () => undefined };
    const look = () => {
      const path = this.tabs.active;
      if (path === null || !this.live.entries.has(path)) return;
      begun.stop();
      begun.path = path;
      void buffers.read(path);
    };
    begun.stop = this.live.store.subscribe(look);
    look();
    return begun;
  }

  dispose(): void {
    this.disposed = true;
    this.keepView();
    for (const stop of this.stops) stop();
    this.made?.dispose();
    this.stage?.dispose();
    this.stage = null;
  }

  /** The open texts as soon as they are there, for what is asked again. */
  get texts(): Texts | null {
    return this.made;
  }

  /** What is known of the file whose tab is shown. */
  get shown(): BufferInfo | null {
    const { active } = this.tabs;
    return active ? (this.made?.info(active) ?? null) : null;
  }

  /** The shown file, while both of its versions are. */
  get compared(): string | null {
    const { path } = this.comparing.getState();
    return this.shown?.path === path && this.shown?.save === "conflict" ? path : null;
  }

  compare(path: string | null): void {
    this.comparing.setState({ path });
  }

  /** Puts the editor widget into its place. */
  mount(place: HTMLElement): () => void {
    if (!this.monaco || this.disposed) return () => undefined;
    const stage = new Stage(this.monaco, place, this.host, (caret) => this.facts.setState(caret));
    this.stage = stage;
    this.show();
    // Whoever waits at its place goes on into the text.
    if (this.entering || place.closest(".editor-area")?.contains(document.activeElement))
      this.focus();
    return () => {
      if (this.stage !== stage) return;
      this.keepView();
      stage.dispose();
      this.stage = null;
    };
  }

  open(path: string, options: { preview?: boolean; line?: number; focus?: boolean } = {}): void {
    this.keepView();
    const replaced = this.tabs.open(path, options.preview ?? false);
    if (replaced) this.made?.close(replaced);
    if (options.line) this.wanted = { path, line: options.line };
    this.show();
    void this.buffers
      .then((buffers) => (this.tabs.has(path) ? buffers.read(path) : undefined))
      .then(() => {
        this.show();
        if (options.focus !== false && !options.preview && this.tabs.active === path) this.focus();
      })
      .catch(() => undefined);
  }

  /** Closes a tab. What needs the person first stays open; what is not saved yet is saved behind it. */
  close(path: string): void {
    const info = this.made?.info(path);
    if (info && needsPerson(info)) {
      this.open(path);
      return;
    }
    this.shut(path);
    void this.made?.save(path);
    this.made?.close(path);
  }

  closeOthers(path: string): void {
    for (const tab of this.tabs.store.getState().tabs) if (tab.path !== path) this.close(tab.path);
  }

  /** Closes a tab whose text is not wanted any more. */
  async discard(path: string): Promise<void> {
    this.shut(path);
    await this.made?.discard(path);
  }

  /** The person deleted a file or folder: its tabs go, but for texts that nothing else holds. */
  removed(path: string): void {
    for (const one of this.tabs.inside(path)) if (this.made?.removed(one) ?? true) this.shut(one);
  }

  /** A file or folder moved: its tabs and texts follow. */
  async moved(from: string, to: string): Promise<void> {
    this.keepView();
    const buffers = await this.buffers;
    this.tabs.follow(from, to);
    await buffers.moved(from, to);
    this.show();
  }

  /** Keeps everything as it is now: what is typed, and where it was read. */
  async putDown(): Promise<void> {
    this.keepView();
    this.tabs.remember();
    await this.made?.flush();
  }

  step(by: number): void {
    const path = this.tabs.step(by);
    if (path) this.open(path);
  }

  focus(): void {
    this.entering = this.stage === null;
    this.stage?.focus();
  }

  command(id: string): void {
    this.stage?.command(id);
  }

  /** Writes or reads the shown text in another way, for as long as its tab is open. */
  write(how: Writing): void {
    this.stage?.write(how);
  }

  private shut(path: string): void {
    const before = this.tabs.active;
    this.keepView();
    this.tabs.close(path);
    const { active } = this.tabs;
    if (active && active !== before) this.open(active);
    else this.show();
  }

  private show(): void {
    const { active } = this.tabs;
    const info = this.shown;
    const text = info && (info.shape === "text" || info.shape === "large");
    const model = active && text ? (this.made?.model(active)?.model ?? null) : null;
    const badge = info ? badgeOf(info) : null;
    const word = badge ? BADGES[badge].word : "";
    this.stage?.show(info, model, active ? this.tabs.view(active) : undefined, word);
    if (this.stage && model && this.wanted?.path === active) {
      this.stage.goTo(this.wanted.line);
      this.wanted = null;
    }
  }

  private keepView(): void {
    const { active } = this.tabs;
    const view = this.stage?.view();
    if (active && view) this.tabs.setView(active, view);
  }

  /** Some text moved on: badges, pins, and tabs for what needs the person although its tab was closed. */
  private textsMoved(buffers: Texts): void {
    const badges = new Map<string, Badge>();
    let waitingBytes = 0;
    for (const info of buffers.store.getState().byPath.values()) {
      const badge = badgeOf(info);
      if (badge) {
        badges.set(info.path, badge);
        this.tabs.pin(info.path);
      }
      waitingBytes += info.waitingBytes;
      if (needsPerson(info)) this.tabs.bring([info.path]);
    }
    const { path } = this.comparing.getState();
    // The next conflict of the file begins as every one does.
    if (path !== null && badges.get(path) !== "conflict") this.compare(null);
    const before = this.facts.getState();
    const same =
      before.badges.size === badges.size &&
      [...badges].every(([path, badge]) => before.badges.get(path) === badge);
    if (!same) this.facts.setState({ badges, waitingBytes });
    else if (waitingBytes !== before.waitingBytes) this.facts.setState({ waitingBytes });
    this.show();
  }

  /** Everything is kept when the page may be left. Leaving is only held up for a loss. */
  private watchLeaving(buffers: Texts): () => void {
    const stop = whenLeaving(() => void this.putDown());
    const leaving = (event: BeforeUnloadEvent) => {
      if (buffers.unsafe) event.preventDefault();
    };
    addEventListener("beforeunload", leaving);
    return () => {
      stop();
      removeEventListener("beforeunload", leaving);
    };
  }
}

/** What is said of a text on its tab and in the tree. */
function badgeOf(info: BufferInfo): Badge | null {
  return info.save === "clean" ? null : info.save;
}

/** Only the person can say what shall become of it. */
function needsPerson(info: BufferInfo): boolean {
  const { save } = info;
  return save === "conflict" || save === "failed" || (info.gone && save !== "clean");
}
