/** The IDE of one workspace: explorer, editor, panel and status bar in their frame. The header's parts are given. */
import { type ReactNode, useEffect, useMemo, useState } from "react";
import { BenchContext, useStore } from "../bench/bench";
import { EditorArea } from "../features/editor/EditorArea";
import { ExplorerView } from "../features/explorer/ExplorerView";
import { RunButton } from "../features/run/RunButton";
import { SessionChip } from "../features/session/SessionChip";
import { useHost } from "../host/useHost";
import { Icon } from "../ui/Icon";
import { actionsOf, chordOf, type Frames } from "./actions";
import { Palette } from "./Palette";
import { Panel } from "./Panel";
import { PopupLayer } from "./Popups";
import { Shortcuts } from "./Shortcuts";
import { Status } from "./Status";
import { Workbench } from "./workbench";
import "../styles/ide.css";
import "./ide-frame.css";

export interface IdeProps {
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
  const host = useHost();
  const { workspace, onBench } = props;
  const [bench, setBench] = useState<Workbench | null>(null);
  useEffect(() => {
    const made = new Workbench(host, workspace);
    setBench(made);
    onBench?.(made);
    return () => {
      onBench?.(null);
      made.dispose();
    };
  }, [host, workspace, onBench]);
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
  const [listed, setListed] = useState(false);
  const frames = useMemo<Frames>(() => ({ ask: setAsked, shortcuts: () => setListed(true) }), []);
  useKeys(bench, frames);
  return (
    <div className={`app ide${sideOpen ? " side-open" : " side-closed"}`}>
      <header className="topbar">
        <h1 className="visually-hidden">Workspace</h1>
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
        <Palette
          key={asked}
          workbench={bench}
          frames={frames}
          start={asked}
          onClose={() => setAsked(null)}
        />
      ) : null}
      {listed ? (
        <Shortcuts actions={actionsOf(bench, frames)} onClose={() => setListed(false)} />
      ) : null}
    </div>
  );
}

/** Keys of the actions, before Monaco and xterm see them; and what leaving and waking up mean. */
function useKeys(workbench: Workbench, frames: Frames): void {
  useEffect(() => {
    const { editor } = workbench;
    const heard = (event: KeyboardEvent) => {
      const chord = chordOf(event);
      const action = actionsOf(workbench, frames).find((one) => one.keys.includes(chord));
      // Monaco's own are only listed.
      if (!action || action.id === "file.line" || document.querySelector("dialog[open]")) return;
      event.preventDefault();
      event.stopPropagation();
      if (action.unavailable === null) action.run();
      else workbench.bench.toast({ text: action.unavailable });
    };
    const leaving = (event: BeforeUnloadEvent) => {
      const badges = editor.facts.getState().badges;
      if ([...badges.values()].some((badge) => badge === "failed")) event.preventDefault();
    };
    addEventListener("keydown", heard, true);
    addEventListener("beforeunload", leaving);
    return () => {
      removeEventListener("keydown", heard, true);
      removeEventListener("beforeunload", leaving);
    };
  }, [workbench, frames]);
}
