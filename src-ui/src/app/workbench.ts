/** One open workspace put together: the live state, the features' models, and what they ask of each other. */
import { createStore, type StoreApi } from "zustand/vanilla";
import type { Bench, Layout, PanelTab } from "../bench/bench";
import { EditorSession } from "../features/editor/session";
import { Explorer } from "../features/explorer/model";
import { Terminals } from "../features/terminal/terminals";
import type { RunTarget } from "../host/generated/api/RunTarget";
import type { Host } from "../host/host";
import { failureOf, IdeCalls } from "../host/ide";
import { LiveWorkspace } from "../host/live";
import { createPopups, type Popups } from "./Popups";

export interface FrameState extends Layout {
  sideOpen: boolean;
  panelHeight: number;
  chosenRun: string | null;
}

export class Workbench {
  readonly live: LiveWorkspace;
  readonly editor: EditorSession;
  readonly explorer: Explorer;
  readonly terminals: Terminals;
  readonly popups: Popups = createPopups();
  readonly frame: StoreApi<FrameState>;
  readonly bench: Bench;
  /** A terminal opens by itself when the session that was asked for is ready. */
  private wantsTerminal = false;
  private readonly stops: (() => void)[] = [];

  constructor(
    private readonly host: Host,
    workspace: string,
  ) {
    this.live = new LiveWorkspace(new IdeCalls(host.exchange, workspace), host.socket);
    this.editor = new EditorSession(this.live, host);
    this.explorer = new Explorer(this.live, host.kept);
    this.terminals = new Terminals(
      this.live,
      {
        confirmPaste: ({ lines }) =>
          this.popups.confirm({
            title: `Paste ${lines} lines?`,
            text: "Each line runs as soon as it arrives, because the program does not announce bracketed paste.",
            yes: "Paste",
          }),
      },
      host,
    );
    this.frame = createStore<FrameState>(() => ({
      panelOpen: true,
      panelTab: "terminal",
      sideOpen: innerWidth > 900,
      panelHeight: innerHeight < 800 ? 240 : 300,
      chosenRun: null,
    }));
    this.bench = this.makeBench();
    this.stops.push(
      this.live.store.subscribe((state, before) => {
        if (state.session !== before.session) this.sessionMoved();
        if (state.runs !== before.runs) this.runsMoved();
      }),
    );
    this.stops.push(
      this.live.onNotice((notice) => this.bench.toast({ tone: "warn", text: notice.message })),
    );
    this.live.open();
  }

  dispose(): void {
    for (const stop of this.stops) stop();
    this.terminals.dispose();
    this.explorer.dispose();
    this.editor.dispose();
    this.live.close();
  }

  private makeBench(): Bench {
    const { menu, confirm, ask, choose, toast } = this.popups;
    return {
      host: this.host,
      live: this.live,
      layout: this.frame as unknown as StoreApi<Layout>,
      editor: this.editor.facts,
      open: (path, options) => {
        this.editor.open(path, options);
        if (innerWidth <= 900 && !options?.preview) this.frame.setState({ sideOpen: false });
      },
      saveAll: async () => (await this.editor.buffers).saveAll(),
      moved: (from, to) => void this.editor.moved(from, to),
      removed: (path) => this.editor.closed(path),
      showPanel: (panelTab: PanelTab) => this.frame.setState({ panelOpen: true, panelTab }),
      hidePanel: () => {
        this.frame.setState({ panelOpen: false });
        this.editor.focus();
      },
      startSession: () => this.startSession(true),
      newTerminal: () => this.newTerminal(),
      typeCommand: (line) => this.typeCommand(line),
      startRun: (target) => this.startRun(target),
      menu,
      confirm,
      ask,
      choose,
      toast,
    };
  }

  private async startSession(terminal: boolean): Promise<void> {
    this.wantsTerminal = terminal;
    if (terminal) this.bench.showPanel("terminal");
    try {
      this.live.setSession(await this.live.calls.startSession());
    } catch (error) {
      this.wantsTerminal = false;
      this.bench.toast({ tone: "danger", text: failureOf(error).detail });
    }
  }

  private async newTerminal(): Promise<void> {
    this.bench.showPanel("terminal");
    const session = this.live.liveSession;
    if (!session) return this.startSession(true);
    if (session.state !== "ready" && session.state !== "idle") {
      this.wantsTerminal = true;
      return;
    }
    const id = await this.terminals.open();
    if (id === null)
      this.bench.toast({ tone: "danger", text: this.terminals.store.getState().problem });
    else this.terminals.focus(id);
  }

  private async typeCommand(line: string): Promise<void> {
    this.bench.showPanel("terminal");
    const { tabs, active } = this.terminals.store.getState();
    const usable =
      tabs.find((tab) => tab.id === active && !tab.exit) ??
      tabs.find((tab) => !tab.run && !tab.exit);
    const id = usable?.id ?? (await this.terminals.open());
    if (!id) return this.newTerminal();
    this.terminals.activate(id);
    await this.terminals.type(id, line);
  }

  /** Saves everything, then runs exactly the revision that the person sees. */
  private async startRun(target: RunTarget): Promise<void> {
    this.bench.showPanel("run");
    const saved = await this.bench.saveAll();
    if (!saved) {
      const anyway = await this.bench.confirm({
        title: "Some edits are not on the server",
        text: "The run would use the last saved version of those files.",
        yes: "Run the saved version",
      });
      if (!anyway) return;
    }
    try {
      await this.live.pullFiles();
      const run = await this.live.calls.startRun({
        target,
        revision: this.live.state.head,
        cols: 100,
        rows: 24,
      });
      this.frame.setState({ chosenRun: run.id });
      void this.live.pullRuns();
      void this.live.pullSession();
    } catch (error) {
      this.bench.toast({ tone: "danger", text: failureOf(error).detail });
    }
  }

  private sessionMoved(): void {
    const session = this.live.state.session;
    if (session?.state === "ready" && this.wantsTerminal) {
      this.wantsTerminal = false;
      void this.terminals.open();
    } else if (session?.state === "failed" || session?.state === "stopped")
      this.wantsTerminal = false;
  }

  private runsMoved(): void {
    for (const run of this.live.state.runs) {
      const live = run.state === "running" || run.state === "flushing";
      if (live && run.session) this.terminals.watchRun(run.id, run.session);
    }
  }
}
