/** The IDE of one workspace: explorer, editor, panel and status bar in their frame. */
import { type ReactNode, useEffect, useRef, useState } from "react";
import { type Action, chordOf, find, hintOf } from "../bench/actions";
import { BenchContext, type SideView, useStore } from "../bench/bench";
import { EditorArea } from "../features/editor/EditorArea";
import { ExplorerView } from "../features/explorer/ExplorerView";
import { RunButton } from "../features/run/RunButton";
import { SessionChip } from "../features/session/SessionChip";
import { skipsShell } from "../features/terminal/keys";
import { useHost } from "../host/useHost";
import { Icon } from "../ui/Icon";
import { part } from "../ui/part";
import { usePopups } from "../ui/popups";
import { Activity, SIDES } from "./Activity";
import { liesOver, SIDE } from "./frame";
import { NoWorkspace } from "./NoWorkspace";
import { Keys, Palette } from "./Palette";
import { Panel } from "./Panel";
import { Shortcuts } from "./Shortcuts";
import { Splitter } from "./Splitter";
import { Status } from "./Status";
import { Switcher } from "./Switcher";
import { Workbench } from "./workbench";
import "./ide-frame.css";

const SyncView = part(
  () => import("../features/sync/SyncView").then((module) => module.SyncView),
  null,
);

export interface IdeProps {
  workspace: string;
  /** The brand. */
  start: ReactNode;
  /** The account. */
  end: ReactNode;
  /** What can be done outside of any workspace. */
  own: () => Action[];
  /** Hears of what can be done for as long as the workspace is open. */
  onActions?: (actions: (() => readonly Action[]) | null) => void;
}

export function Ide({ workspace, start, end, own, onActions }: IdeProps) {
  const host = useHost();
  const popups = usePopups();
  const [bench, setBench] = useState<Workbench | null>(null);
  // The newest, without making the workbench anew.
  const newest = useRef(own);
  newest.current = own;
  useEffect(() => {
    const made = new Workbench(host, popups, workspace, () => newest.current());
    setBench(made);
    return () => made.dispose();
  }, [host, popups, workspace]);
  const told = useRef(onActions);
  told.current = onActions;
  useEffect(() => {
    if (bench) told.current?.(bench.bench.actions);
    return () => told.current?.(null);
  }, [bench]);
  if (!bench) return null;
  return (
    <BenchContext.Provider value={bench.bench}>
      <Place bench={bench} start={start} end={end} />
    </BenchContext.Provider>
  );
}

interface PlaceProps {
  bench: Workbench;
  start: ReactNode;
  end: ReactNode;
}

function Place(props: PlaceProps) {
  const unknown = useStore(
    props.bench.live.store,
    ({ loaded, failure }) =>
      loaded === "failed" && (failure?.status === 404 || failure?.status === 400),
  );
  return unknown ? <NoWorkspace start={props.start} end={props.end} /> : <Frame {...props} />;
}

function Frame({ bench, start, end }: PlaceProps) {
  const { sideOpen, sideWidth, side } = useStore(bench.frame, (state) => state);
  useKeys(bench);
  usePageSeen(bench);
  const leaveSide = () => {
    if (sideOpen && liesOver()) bench.frame.setState({ sideOpen: false });
  };
  return (
    <div
      className={`app ide${sideOpen ? " side-open" : " side-closed"}`}
      style={{ "--side": `${sideWidth}px` } as React.CSSProperties}
    >
      <header className="topbar">
        <h1 className="visually-hidden">Workspace</h1>
        <div className="start">
          {start}
          <Switcher workbench={bench} />
        </div>
        <CommandBox action={find(bench.bench.actions(), "find.file")} />
        <div className="end">
          <RunButton />
          <SessionChip />
          {end}
        </div>
      </header>
      <Activity bench={bench} side={sideOpen ? side : null} />
      <aside
        className="side"
        aria-label={SIDES[side]}
        onKeyDown={(event) => {
          if (event.key !== "Escape" || !liesOver()) return;
          leaveSide();
          bench.editor.focus();
        }}
      >
        <Side bench={bench} side={side} />
        <Splitter
          label="Side bar width"
          edge="right"
          size={sideWidth}
          least={SIDE.least}
          most={() => SIDE.most}
          onSize={(width) => bench.frame.setState({ sideWidth: width })}
        />
      </aside>
      <main className="main" onFocus={leaveSide} onPointerDown={leaveSide}>
        <Main bench={bench} />
        <Panel bench={bench} />
      </main>
      <Status bench={bench} />
      <Over bench={bench} />
    </div>
  );
}

function Side({ bench, side }: { bench: Workbench; side: SideView }) {
  if (side === "sync" && bench.here) return <SyncView here={bench.here} />;
  return <ExplorerView explorer={bench.explorer} />;
}

/** The editor, or what stands in its place; it lives on behind that. */
function Main({ bench }: { bench: Workbench }) {
  const view = useStore(bench.main, (state) => state.view);
  return <EditorArea editor={bench.editor} hidden={view !== null} />;
}

function CommandBox({ action }: { action: Action }) {
  return (
    <button
      type="button"
      className="cmdbox btn-reset ide-cmdbox"
      title={hintOf(action)}
      onClick={action.run}
    >
      <Icon name="search" />
      <span className="truncate">Search files and commands</span>
      {action.keys[0] ? <Keys chord={action.keys[0]} /> : null}
    </button>
  );
}

/** What is open above the frame. */
function Over({ bench }: { bench: Workbench }) {
  const over = useStore(bench.frame, (state) => state.over);
  const close = () => bench.frame.setState((state) => (state.over === over ? { over: null } : {}));
  if (over?.kind === "palette")
    return <Palette key={over.turn} workbench={bench} start={over.start} onClose={close} />;
  if (over?.kind === "shortcuts")
    return <Shortcuts actions={bench.bench.actions()} onClose={close} />;
  return null;
}

/** Keys of the actions, before Monaco and xterm see them. A program in a terminal keeps its own. */
function useKeys(workbench: Workbench): void {
  useEffect(() => {
    const heard = (event: KeyboardEvent) => {
      const chord = chordOf(event);
      const inTerminal = event.target instanceof Element && event.target.closest(".xterm") !== null;
      if (inTerminal && !skipsShell(chord)) return;
      if (document.querySelector("dialog[open], [role=dialog]")) return;
      const action = workbench.bench.actions().find((one) => !one.told && one.keys.includes(chord));
      if (!action) return;
      event.preventDefault();
      event.stopPropagation();
      if (action.unavailable === null) action.run();
      else workbench.bench.toast({ text: `${action.title}: ${action.unavailable}` });
    };
    addEventListener("keydown", heard, true);
    return () => removeEventListener("keydown", heard, true);
  }, [workbench]);
}

/** A page behind others sets no pace for programs. */
function usePageSeen({ terminals }: Workbench): void {
  useEffect(() => {
    const moved = () => terminals.seen(document.visibilityState === "visible");
    document.addEventListener("visibilitychange", moved);
    return () => document.removeEventListener("visibilitychange", moved);
  }, [terminals]);
}
