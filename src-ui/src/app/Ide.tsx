/** The IDE of one workspace: explorer, editor, panel and status bar in their frame. */
import { type ReactNode, useEffect, useLayoutEffect, useRef, useState } from "react";
import { flushSync } from "react-dom";
import { useSearch } from "wouter";
import { navigate } from "wouter/use-browser-location";
import { type Action, find, hintOf } from "../bench/actions";
import { BenchContext, type SideView, useHere, useStore } from "../bench/bench";
import { Difference } from "../features/editor/Difference";
import { EditorArea } from "../features/editor/EditorArea";
import { ExplorerView } from "../features/explorer/ExplorerView";
import { RunButton } from "../features/run/RunButton";
import { SessionChip } from "../features/session/SessionChip";
import { useHost } from "../host/useHost";
import { Icon } from "../ui/Icon";
import { part } from "../ui/part";
import { usePopups } from "../ui/popups";
import { Activity, SIDES } from "./Activity";
import { shownConflict, shownVersions } from "./actions";
import { liesOver, SIDE } from "./frame";
import { NoWorkspace } from "./NoWorkspace";
import { Keys, Palette } from "./Palette";
import { Panel } from "./Panel";
import { enterWorkspace } from "./regions";
import { Said } from "./Said";
import { Shortcuts } from "./Shortcuts";
import { Splitter } from "./Splitter";
import { Status } from "./Status";
import { Switcher } from "./Switcher";
import { useKeys } from "./useKeys";
import { Workbench } from "./workbench";
import "./ide-frame.css";

const ConflictView = part(
  () => import("../features/editor/conflict/ConflictView").then((module) => module.ConflictView),
  null,
);
const HistoryView = part(
  () => import("../features/history/HistoryView").then((module) => module.HistoryView),
  null,
);
const HistoryList = part(
  () => import("../features/history/HistoryList").then((module) => module.HistoryList),
  null,
);
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
  /** Hears of the workspace for as long as it is open. */
  onOpen?: (open: OpenWorkspace | null) => void;
}

/** What the rest of the program may ask of an open workspace. */
export interface OpenWorkspace {
  actions(): readonly Action[];
  /** Keeps everything as it is now, before the program ends. */
  putDown(): Promise<void>;
}

export function Ide({ workspace, start, end, own, onOpen }: IdeProps) {
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
  const told = useRef(onOpen);
  told.current = onOpen;
  useEffect(() => {
    if (!bench) return;
    told.current?.({ actions: bench.bench.actions, putDown: () => bench.putDown() });
    return () => told.current?.(null);
  }, [bench]);
  useWished(bench);
  if (!bench) return null;
  return (
    <BenchContext.Provider value={bench.bench}>
      <Place bench={bench} start={start} end={end} />
    </BenchContext.Provider>
  );
}

/** An address may name a file, and a line in it: `?open=src/main.py&line=7`. Opened, it names the workspace alone. */
function useWished(bench: Workbench | null): void {
  const search = useSearch();
  useEffect(() => {
    const wish = new URLSearchParams(search);
    const path = wish.get("open");
    if (!bench || path === null) return;
    const line = Number(wish.get("line"));
    bench.bench.open(path, line > 0 ? { line } : {});
    navigate(`/w/${bench.live.calls.workspace}`, { replace: true });
  }, [bench, search]);
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
  useKeys(
    () => bench.bench.actions(),
    (message) => bench.bench.toast(message),
  );
  usePageSeen(bench);
  // In the moment in which it is drawn: else what keeps the focus from being lost finds another place for it.
  useLayoutEffect(() => enterWorkspace(bench.editor.tabs.active !== null), [bench]);
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
        tabIndex={-1}
        aria-label={SIDES[side]}
        onKeyDown={(event) => {
          if (event.key !== "Escape" || !liesOver()) return;
          flushSync(leaveSide);
          bench.toEditor();
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
      <Said />
      <Over bench={bench} />
    </div>
  );
}

function Side({ bench, side }: { bench: Workbench; side: SideView }) {
  if (side === "sync" && bench.here) return <SyncView here={bench.here} />;
  if (side === "history") return <Versions bench={bench} />;
  return <ExplorerView explorer={bench.explorer} />;
}

function Versions({ bench }: { bench: Workbench }) {
  useStore(bench.main.store, (state) => state.view);
  useStore(bench.editor.facts, (facts) => facts.active);
  return <HistoryList history={bench.main.versions(true)} />;
}

/** The editor, or what stands in its place; it lives on behind that. */
function Main({ bench }: { bench: Workbench }) {
  useStore(bench.main.store, (state) => state.view);
  // Another one may be shown when this is over.
  useHere((state) => state.conflicts, []);
  const resolver = bench.main.conflict();
  const shown = resolver ? (
    <ConflictView
      key={resolver.conflict.copy}
      resolver={resolver}
      actions={() => shownConflict(bench)}
    />
  ) : null;
  const history = bench.main.versions();
  return (
    <>
      <EditorArea editor={bench.editor} hidden={shown !== null || history !== null} />
      {shown}
      {history ? (
        <HistoryView
          key={history.path}
          history={history}
          actions={() => shownVersions(bench)}
          difference={(before, after) => (
            <Difference path={history.path} before={before} after={after} names={["Then", "Now"]} />
          )}
        />
      ) : null}
    </>
  );
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

/** A page behind others sets no pace for programs. */
function usePageSeen({ terminals }: Workbench): void {
  useEffect(() => {
    const moved = () => terminals.seen(document.visibilityState === "visible");
    document.addEventListener("visibilitychange", moved);
    return () => document.removeEventListener("visibilitychange", moved);
  }, [terminals]);
}
