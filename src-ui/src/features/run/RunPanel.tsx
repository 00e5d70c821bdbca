/** Runs: the list, and the output of the chosen one, live or kept. */
import { type ReactNode, useEffect, useState } from "react";
import { type Bench, useBench, useStore } from "../../bench/bench";
import type { Run } from "../../host/generated/api/Run";
import { failureOf } from "../../host/ide";
import { Icon } from "../../ui/Icon";
import { isOver, memory, missingPackage, nameOfRun, runWords, wasOutOfMemory } from "./words";
import "./run.css";

/** `output` draws the terminal of a run; the page gives it, since terminals are another feature. */
export function RunPanel({
  chosen,
  onChoose,
  output,
  text,
}: {
  chosen: string | null;
  onChoose: (id: string) => void;
  output: (run: Run) => ReactNode;
  text: (run: Run) => Promise<string>;
}) {
  const bench = useBench();
  const runs = useStore(bench.live.store, (state) => state.runs);
  const run = runs.find((one) => one.id === chosen) ?? runs[0] ?? null;
  if (!run)
    return (
      <div className="empty run-none">
        <Icon name="play" />
        <h2>Nothing ran yet</h2>
        <p className="small">Ctrl+F5 runs the open file. Its output is kept here.</p>
      </div>
    );
  return (
    <div className="run-panel">
      <ul className="run-list" aria-label="Runs">
        {runs.map((one) => {
          const words = runWords(one);
          return (
            <li key={one.id}>
              <button
                type="button"
                className={`run-row${one.id === run.id ? " is-selected" : ""}`}
                aria-current={one.id === run.id}
                onClick={() => onChoose(one.id)}
              >
                <Icon name={words.icon} className={words.tone} />
                <span className="run-name truncate">{nameOfRun(one)}</span>
                <span className="faint num small">
                  {one.duration_ms === undefined ? "" : took(one.duration_ms)}
                </span>
                <span className="run-state truncate small faint">{words.text}</span>
                <span className="faint num small">{clock(one.created_at)}</span>
              </button>
            </li>
          );
        })}
      </ul>
      <section className="run-detail" aria-label={`Run of ${nameOfRun(run)}`}>
        <Head run={run} bench={bench} />
        <Hint run={run} bench={bench} text={text} />
        <div className="run-output">
          {run.state === "queued" || run.state === "waiting" ? <Queued run={run} /> : output(run)}
        </div>
      </section>
    </div>
  );
}

function Head({ run, bench }: { run: Run; bench: Bench }) {
  const words = runWords(run);
  const facts = [
    words.text,
    run.duration_ms === undefined ? "" : took(run.duration_ms),
    memory(run.peak_memory_bytes) && `peak ${memory(run.peak_memory_bytes)}`,
    run.revision > 0 ? `ran revision ${run.revision}` : "",
  ].filter((fact) => fact !== "");
  const [stopping, setStopping] = useState(false);
  const act = (what: Promise<unknown>) =>
    what.catch((error: unknown) => bench.toast({ tone: "danger", text: failureOf(error).detail }));
  return (
    <div className="pane-head run-head">
      <Icon name={words.icon} className={words.tone} />
      <span className="mono truncate run-command" title={run.command}>
        {run.command || nameOfRun(run)}
      </span>
      <span className="faint num truncate">{facts.join(" · ")}</span>
      <span className="push row gap1">
        {isOver(run) ? (
          <button
            type="button"
            className="btn btn-sm"
            onClick={() => void bench.startRun(run.target)}
          >
            <Icon name="rotate" /> Run again
          </button>
        ) : (
          <button
            type="button"
            className="btn btn-sm"
            title="Interrupt, after 5 s terminate, after 5 s more kill"
            onClick={() => {
              setStopping(true);
              void act(bench.live.calls.stopRun(run.id));
            }}
          >
            <Icon name="stop" /> {stopping ? "Stopping" : "Stop"}
          </button>
        )}
      </span>
    </div>
  );
}

function Queued({ run }: { run: Run }) {
  const words = runWords(run);
  return (
    <div className="empty run-none">
      <span className="spinner" />
      <h2>{words.text}</h2>
      <p className="small">It starts by itself, once, on the files as you see them now.</p>
    </div>
  );
}

function Hint({
  run,
  bench,
  text,
}: {
  run: Run;
  bench: Bench;
  text: (run: Run) => Promise<string>;
}) {
  const [missing, setMissing] = useState<{ module: string; command: string } | null>(null);
  const over = isOver(run);
  const failed = over && run.exit?.code !== 0;
  // biome-ignore lint/correctness/useExhaustiveDependencies: one look at the output when a run has ended
  useEffect(() => {
    setMissing(null);
    if (!failed) return;
    let gone = false;
    void text(run).then(
      (output) => !gone && setMissing(missingPackage(output)),
      () => undefined,
    );
    return () => {
      gone = true;
    };
  }, [run.id, failed]);
  if (over && wasOutOfMemory(run))
    return (
      <div className="banner warn run-hint" role="status">
        <Icon name="memory" />
        <span>
          <b className="medium">Ended for memory (exit code 137).</b> A session has 512 MiB. Read
          large files in parts, for example <code className="mono">chunksize=50_000</code>.
        </span>
      </div>
    );
  if (!missing) return null;
  return (
    <div className="banner run-hint" role="status">
      <Icon name="package" />
      <span className="grow">
        <b className="medium">{missing.module}</b> is not installed.
      </span>
      <button
        type="button"
        className="btn btn-sm"
        onClick={() => void bench.typeCommand(missing.command)}
      >
        {missing.command}
      </button>
    </div>
  );
}

function took(ms: number): string {
  return ms < 60_000
    ? `${(ms / 1000).toFixed(ms < 10_000 ? 1 : 0)} s`
    : `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1000)} s`;
}

function clock(at: string): string {
  return new Date(at).toLocaleTimeString([], {
    hourCycle: "h23",
    hour: "2-digit",
    minute: "2-digit",
  });
}
