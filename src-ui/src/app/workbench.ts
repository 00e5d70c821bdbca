/** One open workspace put together: the live state, the features' models, and what they ask of each other. */
import { flushSync } from "react-dom";
import type { StoreApi } from "zustand/vanilla";
import type { Action } from "../bench/actions";
import type { Bench, SideView, TerminalPlace } from "../bench/bench";
import { heardBy, ServerClock } from "../bench/clock";
import { Editor } from "../features/editor/editor";
import { helpWith } from "../features/explorer/commands";
import { Explorer } from "../features/explorer/model";
import { isOver, nameOfRun } from "../features/run/words";
import { MemoryHistory } from "../features/session/memory";
import { bringToRun } from "../features/sync/actions";
import { newsIn } from "../features/sync/words";
import { Terminals } from "../features/terminal/terminals";
import type { Conflict } from "../host/generated/api/Conflict";
import type { RunTarget } from "../host/generated/api/RunTarget";
import type { Session } from "../host/generated/api/Session";
import { Here } from "../host/here";
import type { Host } from "../host/host";
import { IdeCalls } from "../host/ide";
import { LiveWorkspace } from "../host/live";
import { isNowhere } from "../ui/keepFocus";
import type { Popups } from "../ui/popups";
import { actionsOf } from "./actions";
import { joinBadges } from "./badges";
import { type FrameState, liesOver, openFrame } from "./frame";
import { MainViews } from "./mainViews";
import { Recent } from "./recent";
import { enterMainFrame, enterRegion } from "./regions";

const RUN_SIZE = { cols: 100, rows: 24 };

export class Workbench {
  readonly live: LiveWorkspace;
  readonly editor: Editor;
  readonly explorer: Explorer;
  readonly terminals: Terminals;
  readonly memory = new MemoryHistory();
  readonly frame: StoreApi<FrameState>;
  /** The workspace as this machine has it; null in a browser. */
  readonly here: Here | null;
  readonly main: MainViews;
  readonly recent: Recent;
  readonly bench: Bench;
  /** What is done in a terminal of the session that was asked for, as soon as it is ready. */
  private wanted: { session: string; then: (terminal: string) => void } | null = null;
  /** The run that was begun here, until its output is there to take the focus. */
  private begun: string | null = null;
  /** Where this machine's count stood when runs were begun here: what a server calls their revision says nothing of it. */
  private readonly starts = new Map<string, number>();
  private isClosed = false;
  private readonly stops: (() => void)[] = [];

  constructor(
    readonly host: Host,
    private readonly popups: Popups,
    workspace: string,
    /** What can be done outside of any workspace. */
    readonly own: () => Action[],
  ) {
    const clock = new ServerClock(host.now);
    const exchange = heardBy(clock, host.exchange);
    this.live = new LiveWorkspace(new IdeCalls(exchange, workspace), host);
    this.editor = new Editor(this.live, host);
    this.explorer = new Explorer(this.live, host.kept);
    const confirmPaste = ({ lines }: { lines: number }) =>
      this.popups.confirm({
        title: `Paste ${lines} lines?`,
        text: "Each line runs as soon as it arrives, because the program does not announce bracketed paste.",
        yes: "Paste",
      });
    this.terminals = new Terminals(this.live, { confirmPaste }, host);
    this.here = host.desktop ? new Here(exchange, workspace, host.desktop) : null;
    const active = () => this.editor.facts.getState().active;
    this.main = new MainViews(this.live, this.here, host, active);
    this.recent = new Recent(host.kept, workspace);
    const frame = openFrame(host.kept, workspace);
    this.frame = frame.store;
    this.bench = this.makeBench(clock);
    this.stops.push(
      frame.stop,
      this.live.store.subscribe((state, before) => {
        if (state.session !== before.session) this.sessionMoved(state.session, before.session);
        if (state.runs !== before.runs) this.runsMoved();
        if (state.usage !== before.usage) this.remember();
      }),
      this.editor.facts.subscribe((facts, before) => {
        if (facts.active && facts.active !== before.active) this.recent.lookedAt(facts.active);
      }),
      this.live.onNotice(({ message }) => {
        const text = message.charAt(0).toUpperCase() + message.slice(1);
        this.bench.toast({ tone: "warn", text });
      }),
    );
    this.live.open();
    if (this.here) this.openHere(this.here);
  }

  /** What lies on this machine needs no server; what only the server knows is asked when it is back. */
  private openHere(here: Here): void {
    this.stops.push(
      here.store.subscribe(({ workspace, sync, conflicts }, before) => {
        if (workspace) this.live.setLocal(workspace.terminals, workspace.remote !== undefined);
        for (const { message } of newsIn(sync, before.sync))
          this.bench.toast({ tone: "warn", text: message });
        if (conflicts !== before.conflicts) this.conflictsMoved(conflicts);
      }),
      this.live.connection.watch(({ state }) => {
        if (state === "online") this.live.refresh();
      }),
      () => here.close(),
    );
    here.open();
  }

  /** Keeps everything as it is now. */
  async putDown(): Promise<void> {
    await Promise.all([this.editor.putDown(), this.main.putDown()]);
  }

  dispose(): void {
    this.isClosed = true;
    for (const stop of this.stops) stop();
    this.main.dispose();
    this.terminals.dispose();
    this.explorer.dispose();
    this.editor.dispose();
    this.live.close();
  }

  private makeBench(clock: ServerClock): Bench {
    const { menu, confirm, ask, choose, toast, failed } = this.popups;
    const badges = joinBadges(this.editor.facts, this.explorer.uploads.facts, this.here);
    this.stops.push(badges.stop);
    return {
      host: this.host,
      live: this.live,
      clock,
      actions: () => actionsOf(this),
      editor: this.editor.facts,
      uploads: this.explorer.uploads.facts,
      badges: badges.store,
      here: this.here,
      main: this.main.store,
      open: (path, options) => {
        this.main.show(null);
        this.editor.open(path, options);
        if (liesOver() && !options?.preview) this.frame.setState({ sideOpen: false });
      },
      // An editor that did not come, or was closed before, has saved nothing.
      saveAll: () =>
        this.editor.buffers.then(
          (texts) => texts.saveAll(),
          () => false,
        ),
      moved: (from, to) => void this.editor.moved(from, to),
      removed: (path) => this.editor.removed(path),
      showSide: (side) => this.showSide(side),
      enterSide: (side) => {
        this.showSide(side);
        enterRegion(".side");
      },
      showConflict: (copy) => {
        // Four texts need the room.
        this.frame.setState({ panelOpen: false, ...(liesOver() ? { sideOpen: false } : {}) });
        this.main.show({ kind: "conflict", copy });
      },
      enterConflict: (copy) => enterMainFrame(() => this.bench.showConflict(copy)),
      showHistory: (path) => {
        this.main.show({ kind: "history", path });
        this.showSide("history");
      },
      enterHistory: (path) => enterMainFrame(() => this.bench.showHistory(path)),
      leaveMain: () => {
        flushSync(() => this.main.show(null));
        this.toEditor();
      },
      helpWith: (path, help) => helpWith(this.bench, this.explorer, path, help),
      showPanel: (panelTab) => this.frame.setState({ panelOpen: true, panelTab }),
      hidePanel: () => {
        flushSync(() => this.frame.setState({ panelOpen: false }));
        this.toEditor();
      },
      startSession: () => this.startSession(this.entering()),
      stopSession: () => this.stopSession(),
      restartSession: async () => {
        await this.stopSession();
        await this.startSession(this.entering());
      },
      newTerminal: (place) => this.inTerminal(true, this.entering(), place),
      typeCommand: (line, options) =>
        this.inTerminal(
          false,
          (id) => void this.terminals.type(id, options?.run ? `${line}\r` : line),
          "session",
        ),
      startRun: (target) => this.startRun(target),
      startOf: ({ id, revision }) =>
        this.here ? (this.starts.get(id) ?? null) : revision > 0 ? revision : null,
      showRun: (id) => this.frame.setState({ panelOpen: true, panelTab: "run", chosenRun: id }),
      enterRun: (id) => {
        flushSync(() => this.bench.showRun(id));
        this.terminals.focus(id);
      },
      menu,
      confirm,
      ask,
      choose,
      toast,
      failed,
    };
  }

  /** Where the last session's output can be seen: its last run, or its terminals; null when it left none. */
  lastOutput(): (() => void) | null {
    const { session, runs } = this.live.state;
    const last = runs.find((run) => run.session === session?.id);
    if (last) return () => this.bench.showRun(last.id);
    const { active } = this.terminals.store.getState();
    return active === null ? null : () => this.frame.setState({ looking: true });
  }

  async restartTerminal(id: string): Promise<void> {
    if (!(await this.terminals.restart(id))) this.complain();
  }

  /** The focus goes to the terminal; when it is there already, the panel closes. */
  toggleTerminal(): void {
    const { panelOpen, panelTab } = this.frame.getState();
    const there = document.activeElement?.closest(".panel") !== null;
    if (panelOpen && panelTab === "terminal" && there) {
      this.bench.hidePanel();
      return;
    }
    flushSync(() => this.bench.showPanel("terminal"));
    const { active } = this.terminals.store.getState();
    if (active) this.terminals.focus(active);
    else enterRegion(".panel");
  }

  /** The keys go to the text; where none is open, to what opens one. */
  toEditor(): void {
    this.editor.focus();
    if (isNowhere()) enterRegion(this.frame.getState().sideOpen ? ".side" : ".main");
  }

  /** Puts it away; the focus does not go with it. */
  toggleSide(): void {
    const { sideOpen } = this.frame.getState();
    flushSync(() => this.frame.setState({ sideOpen: !sideOpen }));
    if (sideOpen && isNowhere()) this.toEditor();
  }

  /** The one that is shown may be over, wherever it was resolved: at once the next is in its place, or the editor. */
  private conflictsMoved(conflicts: readonly Conflict[]): void {
    const { view } = this.main.store.getState();
    if (view?.kind !== "conflict" || conflicts.some(({ copy }) => copy === view.copy)) return;
    const [next] = conflicts;
    if (next) this.bench.showConflict(next.copy);
    else this.bench.leaveMain();
  }

  private showSide(side: SideView): void {
    flushSync(() => this.frame.setState({ sideOpen: true, side }));
  }

  private async startSession(then: (terminal: string) => void): Promise<void> {
    this.bench.showPanel("terminal");
    try {
      const session = await this.live.calls.startSession();
      this.bench.clock.past(session.created_at);
      this.wanted = { session: session.id, then };
      this.live.setSession(session);
    } catch (error) {
      this.bench.failed(error);
    }
  }

  private async stopSession(): Promise<void> {
    try {
      await this.live.calls.stopSession();
      await this.live.pullSession();
    } catch (error) {
      this.bench.failed(error);
    }
  }

  /** Does something in a terminal, a fresh one if wished; starts the session first when it needs one. */
  private async inTerminal(
    fresh: boolean,
    then: (terminal: string) => void,
    place: TerminalPlace = this.terminals.usualPlace(),
  ): Promise<void> {
    this.bench.showPanel("terminal");
    const session = this.live.liveSession;
    if (place === "session") {
      if (!session || session.state === "stopping") return this.startSession(then);
      if (session.state !== "ready" && session.state !== "idle") {
        this.wanted = { session: session.id, then };
        return;
      }
    }
    const { tabs, active } = this.terminals.store.getState();
    const shells = tabs.filter((tab) => !tab.run && !tab.exit && tab.place === place);
    const usable = shells.find((tab) => tab.id === active) ?? shells[0];
    const id = fresh || !usable ? await this.terminals.open(place) : usable.id;
    if (id === null) return this.complain();
    this.terminals.activate(id);
    then(id);
  }

  private complain(): void {
    this.bench.toast({ tone: "danger", text: this.terminals.store.getState().problem });
  }

  /** Saves everything, then runs exactly the revision that the person sees. */
  private async startRun(target: RunTarget): Promise<void> {
    if (!(await bringToRun(this.bench, nameOfRun({ target })))) return;
    this.bench.showPanel("run");
    const saved = await this.bench.saveAll();
    if (!saved) {
      // Who went elsewhere meanwhile is asked nothing here any more.
      if (this.isClosed) return;
      const anyway = await this.bench.confirm({
        title: "Some edits are not on the server",
        text: "The run would use the last saved version of those files.",
        yes: "Run the saved version",
      });
      if (!anyway) return;
    }
    try {
      await this.live.pullFiles();
      const { head } = this.live.state;
      // In the desktop program the run is on the revision that has what this machine holds by then.
      const start = { target, ...(this.here ? {} : { revision: head }), ...RUN_SIZE };
      const run = await (this.live.waits
        ? this.live.calls.queueRun(start)
        : this.live.calls.startRun(start));
      this.starts.set(run.id, head);
      this.bench.clock.past(run.created_at);
      this.bench.showRun(run.id);
      this.begun = run.id;
      void this.live.pullRuns();
      void this.live.pullSession();
    } catch (error) {
      this.bench.failed(error);
    }
  }

  private sessionMoved(session: Session | null, before: Session | null): void {
    if (session?.id !== before?.id || session?.state !== before?.state)
      this.frame.setState({ looking: false });
    const { wanted } = this;
    // The end of an older session says nothing about the one that was asked for.
    if (!session || wanted?.session !== session.id) return;
    if (session.state === "failed" || session.state === "stopped") this.wanted = null;
    if (session.state !== "ready" && session.state !== "idle") return;
    this.wanted = null;
    void this.terminals.open().then((id) => (id === null ? this.complain() : wanted.then(id)));
  }

  /** Puts the focus into the terminal that was asked for, unless the person has gone on elsewhere meanwhile. */
  private entering(): (terminal: string) => void {
    const elsewhere = new AbortController();
    const heard = ({ target }: Event) => {
      if (target instanceof Element && target.closest(".editor-area, .side, dialog"))
        elsewhere.abort();
    };
    for (const act of ["keydown", "pointerdown"])
      addEventListener(act, heard, { capture: true, signal: elsewhere.signal });
    return (terminal) => {
      if (!elsewhere.signal.aborted) this.terminals.focus(terminal);
      elsewhere.abort();
    };
  }

  private runsMoved(): void {
    const going = this.live.state.runs.filter((run) => run.state !== "queued" && !isOver(run));
    this.terminals.watchRuns(
      going.flatMap(({ id, session, state }) =>
        session && state !== "waiting" ? [{ id, session }] : [],
      ),
    );
    if (this.begun === null || !this.terminals.tab(this.begun)) return;
    if (followsRun(document.activeElement)) this.terminals.focus(this.begun);
    this.begun = null;
  }

  private remember(): void {
    const { session, usage } = this.live.state;
    if (!session || !usage) return;
    const { memoryBytes, memoryLimitBytes } = usage;
    this.memory.heard(session.id, memoryBytes, memoryLimitBytes, this.bench.clock.now());
  }
}

/** Whether the focus goes along with a run: from what began it and from nowhere, never from where somebody writes. */
function followsRun(at: Element | null): boolean {
  return at === null || at === document.body || at.closest(".btn-group.run, .run-panel") !== null;
}
