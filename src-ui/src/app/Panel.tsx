/** The panel below the editor: terminals and runs. */
import { find } from "../bench/actions";
import { Tool } from "../bench/Buttons";
import { type PanelTab, useStore } from "../bench/bench";
import { onTabKeys } from "../bench/tabs";
import { RunPanel } from "../features/run/RunPanel";
import { isOver, nameOfRun } from "../features/run/words";
import { MemoryCurve } from "../features/session/MemoryCurve";
import { SessionPanel } from "../features/session/SessionPanel";
import { KeptOutput } from "../features/terminal/KeptOutput";
import { TerminalTabs } from "../features/terminal/TerminalTabs";
import { TerminalView } from "../features/terminal/TerminalView";
import type { Run } from "../host/generated/api/Run";
import { BusyButton } from "../ui/BusyButton";
import { Empty } from "../ui/Empty";
import { Keys } from "./Palette";
import { Splitter } from "./Splitter";
import type { Workbench } from "./workbench";

const TABS: readonly [PanelTab, string][] = [
  ["terminal", "Terminal"],
  ["run", "Run"],
];

/** A curve begins with the sample before. */
const SAMPLE_MS = 2_000;

export function Panel({ bench }: { bench: Workbench }) {
  const { panelOpen, panelTab, panelHeight } = useStore(bench.frame, (state) => state);
  const going = useStore(
    bench.live.store,
    (state) => state.runs.filter((run) => !isOver(run)).length,
  );
  if (!panelOpen) return null;
  return (
    <section className="panel" aria-label="Panel" style={{ height: panelHeight }}>
      <Splitter
        label="Panel height"
        edge="top"
        size={panelHeight}
        least={96}
        most={() => innerHeight - 240}
        onSize={(height) => bench.frame.setState({ panelHeight: height })}
      />
      <div className="ptabs">
        <div role="tablist" aria-label="Panel" className="ide-ptabs" onKeyDown={onTabKeys}>
          {TABS.map(([tab, word]) => (
            <button
              key={tab}
              id={`panel-tab-${tab}`}
              type="button"
              role="tab"
              aria-selected={panelTab === tab}
              aria-controls="panel-body"
              tabIndex={panelTab === tab ? 0 : -1}
              className={`ptab btn-reset${panelTab === tab ? " is-selected" : ""}`}
              onFocus={() => bench.bench.showPanel(tab)}
              onClick={() => bench.bench.showPanel(tab)}
            >
              {word}
              {tab === "run" && going > 0 ? (
                <>
                  <span className="count">{going}</span>
                  <span className="visually-hidden">running</span>
                </>
              ) : null}
            </button>
          ))}
        </div>
        <TerminalTabs terminals={bench.terminals} />
        <span className="push row gap1">
          <span className="small faint ide-leave" aria-hidden="true">
            <Keys chord="F6" /> leaves the terminal
          </span>
          <Tool action={find(bench.bench.actions(), "terminal.new")} />
          <Tool action={find(bench.bench.actions(), "panel.close")} />
        </span>
      </div>
      <div className="cols">
        <div
          id="panel-body"
          className="pane"
          role="tabpanel"
          aria-labelledby={`panel-tab-${panelTab}`}
        >
          {panelTab === "run" ? <Runs bench={bench} /> : <Terminal bench={bench} />}
        </div>
      </div>
    </section>
  );
}

function Runs({ bench }: { bench: Workbench }) {
  const chosen = useStore(bench.frame, (state) => state.chosenRun);
  // A terminal of a run comes and goes with the run.
  useStore(bench.terminals.store, (state) => state.tabs);
  const kept = (run: Run) => bench.live.calls.runOutput(run.id);
  const output = (run: Run) =>
    bench.terminals.tab(run.id) && !isOver(run) ? (
      <TerminalView key={run.id} terminals={bench.terminals} id={run.id} />
    ) : (
      <KeptOutput
        key={`${run.id} ${run.state}`}
        terminals={bench.terminals}
        id={run.id}
        name={nameOfRun(run)}
        load={() => kept(run)}
      />
    );
  return (
    <RunPanel
      chosen={chosen}
      onChoose={(id) => bench.frame.setState({ chosenRun: id })}
      output={output}
      text={async (run) => new TextDecoder().decode(await kept(run))}
      curve={(run) => {
        const since = Date.parse(run.started_at ?? run.created_at);
        const until = run.duration_ms === undefined ? undefined : since + run.duration_ms;
        const times = { since: since - SAMPLE_MS, until, peak: run.peak_memory_bytes };
        return <MemoryCurve memory={bench.memory} session={run.session} {...times} />;
      }}
    />
  );
}

/** Shells while there is a session; its start or its end while there is none, and then the last output on demand. */
function Terminal({ bench }: { bench: Workbench }) {
  const session = useStore(bench.live.store, (state) => state.session);
  const active = useStore(bench.terminals.store, (state) => state.active);
  const looking = useStore(bench.frame, (state) => state.looking);
  const shown = useStore(bench.terminals.store, ({ tabs }) => tabs.find(({ id }) => id === active));
  const inSession = session?.state === "ready" || session?.state === "idle";
  const usable = inSession || shown?.place === "here";
  if (active && (usable || looking))
    return (
      <TerminalView
        key={active}
        terminals={bench.terminals}
        id={active}
        onRestart={() => void bench.restartTerminal(active)}
        onBack={usable ? null : () => bench.frame.setState({ looking: false })}
      />
    );
  if (inSession) return <NoTerminal bench={bench} />;
  return (
    <SessionPanel
      onOutput={bench.lastOutput()}
      onHere={bench.here ? () => void bench.bench.newTerminal("here") : null}
      curve={<MemoryCurve memory={bench.memory} session={session?.id} since={0} />}
    />
  );
}

function NoTerminal({ bench }: { bench: Workbench }) {
  const { opening, problem } = useStore(bench.terminals.store, (state) => state);
  return (
    <Empty
      icon="terminal"
      title={opening ? "Opening a terminal" : "No terminal is open"}
      text={opening ? null : problem}
      grow
      actions={
        <BusyButton
          type="button"
          className="btn"
          busy={opening}
          onClick={() => void bench.bench.newTerminal()}
        >
          New terminal
        </BusyButton>
      }
    />
  );
}
