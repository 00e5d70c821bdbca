/** The open tabs, the one editor widget that shows them, and what both tell the rest of the page. */
import { createStore } from "zustand/vanilla";
import type { Badge, EditorFacts } from "../../bench/bench";
import type { Host } from "../../host/host";
import type { LiveWorkspace } from "../../host/live";
import { Buffers } from "./buffers";
import type { MonacoText } from "./monaco";
import { languageName, languageOf } from "./shape";

type Monaco = typeof import("./monaco");
type Widget = import("monaco-editor/editor").editor.IStandaloneCodeEditor;
type ViewState = import("monaco-editor/editor").editor.ICodeEditorViewState;

export interface OpenTab {
  path: string;
  preview: boolean;
}

export interface TabsState {
  tabs: readonly OpenTab[];
  active: string | null;
}

const NO_FACTS: EditorFacts = {
  active: null,
  line: 0,
  column: 0,
  selected: 0,
  language: "",
  ending: "",
  indent: "",
  badges: new Map(),
};

export class EditorSession {
  readonly tabs = createStore<TabsState>(() => ({ tabs: [], active: null }));
  readonly facts = createStore<EditorFacts>(() => NO_FACTS);
  readonly buffers: Promise<Buffers>;
  private made: Buffers | null = null;
  private monaco: Monaco | null = null;
  private widget: Widget | null = null;
  private readonly models = new Map<string, MonacoText>();
  private readonly views = new Map<string, ViewState>();
  private readonly key: string;
  private wanted: { path: string; line: number } | null = null;

  constructor(
    private readonly live: LiveWorkspace,
    private readonly host: Host,
  ) {
    this.key = `slipway.tabs.${live.calls.workspace}`;
    this.buffers = this.make();
  }

  private async make(): Promise<Buffers> {
    const monaco = await import("./monaco");
    this.monaco = monaco;
    monaco.applyTheme();
    const makeModel = (path: string, text: string) => {
      const model = new monaco.MonacoText(this.live.calls.workspace, path, text);
      this.models.set(path, model);
      return model;
    };
    const { drafts, tab, after, now } = this.host;
    const buffers = new Buffers(this.live, drafts, await tab, makeModel, after, now);
    this.made = buffers;
    buffers.store.subscribe(() => this.badges());
    await this.restore(buffers);
    return buffers;
  }

  dispose(): void {
    this.made?.dispose();
    this.widget?.dispose();
  }

  /** Puts the editor widget into its place. */
  mount(place: HTMLElement): () => void {
    const monaco = this.monaco;
    if (!monaco) return () => undefined;
    const widget = monaco.monaco.editor.create(place, { ...monaco.EDITOR_OPTIONS, model: null });
    this.widget = widget;
    widget.onDidChangeCursorSelection(() => this.cursor());
    widget.onDidChangeModelContent(() => this.pin(this.tabs.getState().active));
    const themes = new MutationObserver(() => monaco.applyTheme());
    themes.observe(document.documentElement, { attributeFilter: ["data-theme"] });
    this.show();
    return () => {
      themes.disconnect();
      this.keepView();
      widget.dispose();
      this.widget = null;
    };
  }

  open(path: string, options: { preview?: boolean; line?: number; focus?: boolean } = {}): void {
    const { tabs, active } = this.tabs.getState();
    this.keepView();
    const known = tabs.find((tab) => tab.path === path);
    let next = tabs;
    if (!known) {
      const tab = { path, preview: options.preview ?? false };
      const replaced = tabs.findIndex((one) => one.preview);
      const at = tabs.findIndex((one) => one.path === active);
      if (replaced >= 0 && tab.preview) {
        const old = tabs[replaced];
        next = tabs.with(replaced, tab);
        if (old) this.made?.close(old.path);
      } else next = tabs.toSpliced(at < 0 ? tabs.length : at + 1, 0, tab);
    } else if (known.preview && !options.preview)
      next = tabs.map((tab) => (tab === known ? { ...tab, preview: false } : tab));
    if (options.line) this.wanted = { path, line: options.line };
    this.tabs.setState({ tabs: next, active: path });
    this.remember();
    void this.buffers
      .then((buffers) => buffers.read(path))
      .then(() => {
        this.show();
        if (options.focus !== false && !options.preview) this.widget?.focus();
      });
    this.show();
  }

  pin(path: string | null): void {
    const { tabs } = this.tabs.getState();
    if (!tabs.some((tab) => tab.path === path && tab.preview)) return;
    this.tabs.setState({
      tabs: tabs.map((tab) => (tab.path === path ? { ...tab, preview: false } : tab)),
    });
    this.remember();
  }

  /** Saves first; stays open when that is not possible, so that nothing is lost unseen. */
  async close(path: string): Promise<void> {
    const buffers = await this.buffers;
    await buffers.save(path);
    const save = buffers.info(path)?.save;
    if (save === "conflict" || save === "failed") return this.open(path);
    this.forget(path);
    buffers.close(path);
    this.models.delete(path);
  }

  closed(path: string): void {
    for (const tab of this.tabs.getState().tabs)
      if (tab.path === path || tab.path.startsWith(`${path}/`)) this.forget(tab.path);
  }

  /** A file or folder moved: its tabs follow. */
  async moved(from: string, to: string): Promise<void> {
    const buffers = await this.buffers;
    buffers.moved(from, to);
    const follow = (path: string) =>
      path === from || path.startsWith(`${from}/`) ? to + path.slice(from.length) : path;
    this.tabs.setState((state) => ({
      tabs: state.tabs.map((tab) => ({ ...tab, path: follow(tab.path) })),
      active: state.active === null ? null : follow(state.active),
    }));
    this.remember();
    const { active } = this.tabs.getState();
    if (active) this.open(active);
  }

  step(by: number): void {
    const { tabs, active } = this.tabs.getState();
    const at = tabs.findIndex((tab) => tab.path === active);
    const next = tabs[(at + by + tabs.length) % Math.max(1, tabs.length)];
    if (next) this.open(next.path);
  }

  focus(): void {
    this.widget?.focus();
  }

  command(id: string): void {
    this.widget?.focus();
    this.widget?.trigger("slipway", id, null);
  }

  private forget(path: string): void {
    const { tabs, active } = this.tabs.getState();
    const at = tabs.findIndex((tab) => tab.path === path);
    if (at < 0) return;
    const rest = tabs.toSpliced(at, 1);
    const next = active === path ? ((rest[at] ?? rest[at - 1])?.path ?? null) : active;
    this.tabs.setState({ tabs: rest, active: next });
    this.views.delete(path);
    this.remember();
    if (next && next !== active) this.open(next);
    else this.show();
  }

  private show(): void {
    const { active } = this.tabs.getState();
    const widget = this.widget;
    const info = active ? (this.made?.info(active) ?? null) : null;
    const model =
      active && info && ["text", "large"].includes(info.shape)
        ? this.models.get(active)?.model
        : undefined;
    const usable = model && !model.isDisposed() ? model : null;
    if (widget && widget.getModel() !== usable) {
      widget.setModel(usable);
      const view = active ? this.views.get(active) : undefined;
      if (view) widget.restoreViewState(view);
    }
    widget?.updateOptions({ readOnly: info?.readOnly ?? true, ariaLabel: active ?? "Editor" });
    if (widget && usable && this.wanted && this.wanted.path === active) {
      widget.revealLineInCenter(this.wanted.line);
      widget.setPosition({ lineNumber: this.wanted.line, column: 1 });
      this.wanted = null;
    }
    this.cursor();
  }

  private keepView(): void {
    const { active } = this.tabs.getState();
    const view = this.widget?.getModel() ? this.widget.saveViewState() : null;
    if (active && view) this.views.set(active, view);
  }

  private cursor(): void {
    const { active } = this.tabs.getState();
    const model = this.widget?.getModel();
    const position = this.widget?.getPosition();
    const selection = this.widget?.getSelection();
    if (!model || !position) {
      this.facts.setState({
        active,
        line: 0,
        column: 0,
        selected: 0,
        language: "",
        ending: "",
        indent: "",
      });
      return;
    }
    const { insertSpaces, tabSize } = model.getOptions();
    this.facts.setState({
      active,
      line: position.lineNumber,
      column: position.column,
      selected: selection ? model.getValueLengthInRange(selection) : 0,
      language: languageName(languageOf(active ?? "")),
      ending: model.getEOL() === "\n" ? "LF" : "CRLF",
      indent: insertSpaces ? `Spaces: ${tabSize}` : `Tabs: ${tabSize}`,
    });
  }

  private badges(): void {
    const badges = new Map<string, Badge>();
    for (const info of this.made?.store.getState().byPath.values() ?? [])
      if (info.save !== "clean") badges.set(info.path, info.save);
    const before = this.facts.getState().badges;
    const same =
      before.size === badges.size &&
      [...badges].every(([path, badge]) => before.get(path) === badge);
    if (!same) this.facts.setState({ badges });
    this.show();
  }

  private remember(): void {
    this.host.kept.set(this.key, JSON.stringify(this.tabs.getState()));
  }

  /** Tabs of the last visit, and files with unsaved drafts. */
  private async restore(buffers: Buffers): Promise<void> {
    try {
      const kept = JSON.parse(this.host.kept.get(this.key) ?? "null") as TabsState | null;
      if (kept?.tabs && this.tabs.getState().tabs.length === 0)
        this.tabs.setState({ tabs: kept.tabs, active: kept.active });
    } catch {
      this.host.kept.remove(this.key);
    }
    for (const path of await buffers.draftPaths())
      if (!this.tabs.getState().tabs.some((tab) => tab.path === path))
        this.tabs.setState((state) => ({ tabs: [...state.tabs, { path, preview: false }] }));
    const { tabs, active } = this.tabs.getState();
    const first = active ?? tabs[0]?.path ?? null;
    if (first) void buffers.read(first).then(() => this.show());
    for (const path of await buffers.draftPaths()) void buffers.read(path);
    if (first !== active) this.tabs.setState({ active: first });
  }
}
