/** The panel below the editor: terminals and runs. */
import { type PointerEvent, useRef } from "react";
import { useStore } from "../bench/bench";
import { RunPanel } from "../features/run/RunPanel";
import { isOver } from "../features/run/words";
import { SessionPanel } from "../features/session/SessionPanel";
import { KeptOutput } from "../features/terminal/KeptOutput";
import { TerminalTabs } from "../features/terminal/TerminalTabs";
import { TerminalView } from "../features/terminal/TerminalView";
import type { Run } from "../host/generated/api/Run";
import { Icon } from "../ui/Icon";
import type { Workbench } from "./workbench";

export function Panel({ bench }: { bench: Workbench }) {
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
      <h2>{opening ? "Opening a terminal" : "No terminal is open"}</h2>
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
