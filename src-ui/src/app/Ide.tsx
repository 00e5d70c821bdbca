/** The IDE of one workspace: explorer, editor, panel and status bar in their frame. The header's parts are given. */
import { type PointerEvent, type ReactNode, useEffect, useRef, useState } from "react";
import { EditorArea } from "../features/editor/EditorArea";
import { ExplorerView } from "../features/explorer/ExplorerView";
import { RunButton, targetOf } from "../features/run/RunButton";
import { RunPanel } from "../features/run/RunPanel";
import { isOver } from "../features/run/words";
import { SessionChip, SessionStatus } from "../features/session/SessionChip";
import { SessionPanel } from "../features/session/SessionPanel";
import { KeptOutput } from "../features/terminal/KeptOutput";
import { TerminalTabs } from "../features/terminal/TerminalTabs";
import { TerminalView } from "../features/terminal/TerminalView";
import type { Run } from "../host/generated/api/Run";
import type { Exchange } from "../host/ide";
import type { Socket } from "../host/socket";
import { Icon } from "../ui/Icon";
import { BenchContext, useBench, useStore } from "./bench";
import { Palette } from "./Palette";
import { PopupLayer } from "./Popups";
import { Workbench } from "./workbench";
import "../styles/ide.css";
import "./ide-frame.css";

export interface IdeProps {
  exchange: Exchange;
  socket: Socket;
  workspace: string;
  /** Brand and workspace switcher. */
  start: ReactNode;
  /** The command box. */
  middle: ReactNode;
  /** The account. */
  end: ReactNode;
  /** The open workbench, for the palette; null when it closes. */
  onBench?: (bench: Workbench | null) => void;
}

export function Ide(props: IdeProps) {
  const { exchange, socket, workspace, onBench } = props;
  const [bench, setBench] = useState<Workbench | null>(null);
  useEffect(() => {
    const made = new Workbench(exchange, socket, workspace);
    setBench(made);
    onBench?.(made);
    return () => {
      onBench?.(null);
      made.dispose();
    };
  }, [exchange, socket, workspace, onBench]);
  if (!bench) return null;
  return (
    <BenchContext.Provider value={bench.bench}>
      <Frame bench={bench} {...props} />
      <PopupLayer popups={bench.popups} />
    </BenchContext.Provider>
  );
}

function Frame({ bench, start, middle, end }: { bench: Workbench } & IdeProps) {
  const sideOpen = useStore(bench.frame, (state) => state.sideOpen);
  const [asked, setAsked] = useState<string | null>(null);
  useKeys(bench, setAsked);
  return (
    <div className={`app ide${sideOpen ? " side-open" : " side-closed"}`}>
      <header className="topbar">
        <div className="start">{start}</div>
        {middle ?? (
          <button
            type="button"
            className="cmdbox btn-reset ide-cmdbox"
            onClick={() => setAsked("")}
          >
            <Icon name="search" />
            <span className="truncate">Search files and commands</span>
            <span className="kbds">
              <span className="kbd">Ctrl</span>
              <span className="kbd">P</span>
            </span>
          </button>
        )}
        <div className="end">
          <RunButton />
          <SessionChip />
          {end}
        </div>
      </header>
      <nav className="activity" aria-label="Views">
        <button
          type="button"
          className={`item btn-reset${sideOpen ? " is-selected" : ""}`}
          aria-label="Explorer"
          aria-pressed={sideOpen}
          title="Explorer (Ctrl+B)"
          onClick={() => bench.frame.setState({ sideOpen: !sideOpen })}
        >
          <Icon name="copy" />
        </button>
        <button
          type="button"
          className="item btn-reset"
          aria-label="Runs"
          title="Runs"
          onClick={() => bench.bench.showPanel("run")}
        >
          <Icon name="play" />
        </button>
      </nav>
      <aside className="side" aria-label="Explorer">
        <ExplorerView explorer={bench.explorer} />
      </aside>
      <main className="main">
        <EditorArea session={bench.editor} />
        <Panel bench={bench} />
      </main>
      <Status bench={bench} />
      {asked !== null ? (
        <Palette key={asked} workbench={bench} start={asked} onClose={() => setAsked(null)} />
      ) : null}
    </div>
  );
}

function Panel({ bench }: { bench: Workbench }) {
  const { panelOpen, panelTab, panelHeight, chosenRun } = useStore(bench.frame, (state) => state);
  const session = useStore(bench.live.store, (state) => state.session?.state ?? null);
  const active = useStore(bench.terminals.store, (state) => state.active);
  const going = useStore(
    bench.live.store,
    (state) => state.runs.filter((run) => !isOver(run)).length,
  );
  if (!panelOpen) return null;
  const usable = session === "ready" || session === "idle";
  const starting = session === "requested" || session === "provisioning";
  const output = (run: Run) => {
    const live = bench.terminals.tab(run.id);
    return live && !isOver(run) ? (
      <TerminalView key={run.id} terminals={bench.terminals} id={run.id} />
    ) : (
      <KeptOutput key={`${run.id} ${run.state}`} load={() => bench.live.calls.runOutput(run.id)} />
    );
  };
  return (
    <section className="panel" aria-label="Panel" style={{ height: panelHeight }}>
      <Splitter bench={bench} />
      <div className="ptabs">
        <div role="tablist" aria-label="Panel" className="ide-ptabs">
          {(["terminal", "run"] as const).map((tab) => (
            <button
              key={tab}
              type="button"
              role="tab"
              aria-selected={panelTab === tab}
              className={`ptab btn-reset${panelTab === tab ? " is-selected" : ""}`}
              onClick={() => bench.bench.showPanel(tab)}
            >
              {tab === "terminal" ? "Terminal" : "Run"}
              {tab === "run" && going > 0 ? <span className="count">{going}</span> : null}
            </button>
          ))}
        </div>
        <TerminalTabs terminals={bench.terminals} />
        <span className="push row gap1">
          <button
            type="button"
            className="btn btn-ghost btn-icon btn-sm"
            aria-label="New terminal"
            title="New terminal (Ctrl+Shift+`)"
            onClick={() => void bench.bench.newTerminal()}
          >
            <Icon name="plus" />
          </button>
          <button
            type="button"
            className="btn btn-ghost btn-icon btn-sm"
            aria-label="Close panel"
            title="Close panel (Ctrl+J)"
            onClick={() => bench.bench.hidePanel()}
          >
            <Icon name="x" />
          </button>
        </span>
      </div>
      <div className="cols">
        <div
          className="pane"
          role="tabpanel"
          aria-label={panelTab === "terminal" ? "Terminal" : "Run"}
        >
          {panelTab === "run" ? (
            <RunPanel
              chosen={chosenRun}
              onChoose={(id) => bench.frame.setState({ chosenRun: id })}
              output={output}
              text={async (run) =>
                new TextDecoder().decode(await bench.live.calls.runOutput(run.id))
              }
            />
          ) : active && !starting ? (
            <TerminalView
              key={active}
              terminals={bench.terminals}
              id={active}
              onRestart={() => void bench.bench.newTerminal()}
            />
          ) : usable ? (
            <NoTerminal bench={bench} />
          ) : (
            <SessionPanel />
          )}
        </div>
      </div>
    </section>
  );
}

function NoTerminal({ bench }: { bench: Workbench }) {
  const opening = useStore(bench.terminals.store, (state) => state.opening);
  return (
    <div className="empty ide-empty">
      <Icon name="terminal" />
      <h4>{opening ? "Opening a terminal" : "No terminal is open"}</h4>
      <div className="actions">
        <button
          type="button"
          className="btn"
          disabled={opening}
          onClick={() => void bench.bench.newTerminal()}
        >
          New terminal
        </button>
      </div>
    </div>
  );
}

/** Moves the panel's edge by pointer or arrow keys, without drawing anything else again. */
function Splitter({ bench }: { bench: Workbench }) {
  const drag = useRef<{ y: number; height: number } | null>(null);
  const height = useStore(bench.frame, (state) => state.panelHeight);
  const set = (to: number) =>
    bench.frame.setState({
      panelHeight: Math.round(Math.max(96, Math.min(innerHeight - 240, to))),
    });
  const move = (event: PointerEvent) => {
    if (drag.current) set(drag.current.height + drag.current.y - event.clientY);
  };
  return (
    // biome-ignore lint/a11y/useSemanticElements: a rule cannot be moved
    <div
      className="ide-splitter"
      role="separator"
      aria-orientation="horizontal"
      aria-label="Panel height"
      aria-valuenow={height}
      aria-valuemin={96}
      tabIndex={0}
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        drag.current = { y: event.clientY, height };
      }}
      onPointerMove={move}
      onPointerUp={() => {
        drag.current = null;
      }}
      onKeyDown={(event) => {
        if (event.key === "ArrowUp") set(height + 24);
        else if (event.key === "ArrowDown") set(height - 24);
      }}
    />
  );
}

function Status({ bench }: { bench: Workbench }) {
  const facts = useStore(bench.editor.facts, (state) => state);
  return (
    <footer className="statusbar">
      <Connection />
      <Sync />
      <SessionStatus />
      <span className="space" />
      {facts.line > 0 ? (
        <>
          <button
            type="button"
            className="status-item btn-reset"
            onClick={() => bench.editor.command("editor.action.gotoLine")}
          >
            Ln {facts.line}, Col {facts.column}
            {facts.selected > 0 ? ` (${facts.selected} selected)` : ""}
          </button>
          <span className="status-item opt">{facts.indent}</span>
          <span className="status-item opt">UTF-8</span>
          <span className="status-item opt">{facts.ending}</span>
          <span className="status-item">{facts.language}</span>
        </>
      ) : null}
    </footer>
  );
}

function Connection() {
  const { live } = useBench();
  const status = useStore(live.store, (state) => state.connection);
  if (status.state === "online")
    return (
      <span className="status-item">
        <Icon name="cloud" className="ok" /> Online
      </span>
    );
  const words =
    status.state === "waiting" && status.attempt > 1 ? "Offline – edits are kept" : "Connecting";
  return (
    <button
      type="button"
      className="status-item btn-reset"
      title="Try now"
      onClick={() => live.socket.retry()}
    >
      <Icon name="cloud-off" className="warn" /> {words}
    </button>
  );
}

function Sync() {
  const bench = useBench();
  const badges = useStore(bench.editor, (facts) => facts.badges);
  const count = (kind: string) => [...badges.values()].filter((badge) => badge === kind).length;
  const [conflicts, failed, waiting, saving] = [
    count("conflict"),
    count("failed"),
    count("waiting"),
    count("saving") + count("unsaved"),
  ];
  const say = (icon: string, tone: string, text: string) => (
    <button type="button" className="status-item btn-reset" onClick={() => void bench.saveAll()}>
      <Icon name={icon} className={tone} /> {text}
    </button>
  );
  if (conflicts > 0)
    return say("alert", "warn", conflicts === 1 ? "1 conflict" : `${conflicts} conflicts`);
  if (failed > 0)
    return say("error", "danger", failed === 1 ? "1 file not saved" : `${failed} files not saved`);
  if (waiting > 0)
    return say("arrow-up", "warn", waiting === 1 ? "1 edit waiting" : `${waiting} edits waiting`);
  if (saving > 0) return say("refresh", "accent", "Saving");
  return say("check", "ok", "Synced");
}

/** The frame's keys, before Monaco and xterm see them. */
function useKeys(workbench: Workbench, ask: (start: string) => void): void {
  useEffect(() => {
    const { bench, editor, frame, live } = workbench;
    const run = () => {
      const target = targetOf(editor.tabs.getState().active, live.entries.has("main.py"));
      if (target) void bench.startRun(target);
    };
    const stop = () => {
      const going = live.state.runs.find((one) => !isOver(one));
      if (going) void live.calls.stopRun(going.id).catch(() => undefined);
    };
    const keys: Record<string, () => void> = {
      "ctrl+p": () => ask(""),
      "ctrl+shift+p": () => ask(">"),
      f1: () => ask(">"),
      "ctrl+s": () => void bench.saveAll(),
      "ctrl+f5": run,
      "ctrl+alt+r": run,
      "shift+f5": stop,
      "ctrl+b": () => frame.setState((state) => ({ sideOpen: !state.sideOpen })),
      "ctrl+j": () =>
        frame.getState().panelOpen ? bench.hidePanel() : bench.showPanel(frame.getState().panelTab),
      "ctrl+`": () => {
        const { panelOpen, panelTab } = frame.getState();
        if (panelOpen && panelTab === "terminal") bench.hidePanel();
        else bench.showPanel("terminal");
      },
      "ctrl+shift+`": () => void bench.newTerminal(),
      "ctrl+shift+~": () => void bench.newTerminal(),
      "ctrl+shift+e": () => {
        frame.setState({ sideOpen: true });
        document.querySelector<HTMLElement>(".explorer-tree")?.focus();
      },
      "alt+w": () => {
        const { active } = editor.tabs.getState();
        if (active) void editor.close(active);
      },
      "alt+n": () => workbench.explorer.create("file"),
      "ctrl+pageup": () => editor.step(-1),
      "ctrl+pagedown": () => editor.step(1),
    };
    const heard = (event: KeyboardEvent) => {
      const mods = `${event.ctrlKey || event.metaKey ? "ctrl+" : ""}${event.altKey ? "alt+" : ""}${event.shiftKey ? "shift+" : ""}`;
      const act = keys[mods + event.key.toLowerCase()];
      if (!act || document.querySelector("dialog[open]")) return;
      event.preventDefault();
      event.stopPropagation();
      act();
    };
    const leaving = (event: BeforeUnloadEvent) => {
      const badges = editor.facts.getState().badges;
      if ([...badges.values()].some((badge) => badge === "failed")) event.preventDefault();
    };
    const woke = () => live.socket.retry();
    addEventListener("keydown", heard, true);
    addEventListener("beforeunload", leaving);
    addEventListener("online", woke);
    return () => {
      removeEventListener("keydown", heard, true);
      removeEventListener("beforeunload", leaving);
      removeEventListener("online", woke);
    };
  }, [workbench, ask]);
}
