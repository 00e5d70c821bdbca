/** Runs: the list, and the output of the chosen one, live or kept. */
import { type ReactNode, useState } from "react";
import { find, hintOf } from "../../bench/actions";
import { Act } from "../../bench/Buttons";
import { useBench, useStore } from "../../bench/bench";
import type { Run } from "../../host/generated/api/Run";
import { failureOf } from "../../host/ide";
import { lackOf } from "../../host/lack";
import { Empty } from "../../ui/Empty";
import { Icon } from "../../ui/Icon";
import { count, duration, mebibytes, timeOfDay } from "../../ui/words";
import { stopRun } from "./actions";
import { type HintProps, RunHint } from "./RunHint";
import { RunPicture } from "./RunPicture";
import { RunStop } from "./RunStop";
import { isOver, nameOfRun, picturesOf, runWords } from "./words";
import "./run.css";

/** What the page gives, since terminals and memory are other features. */
interface Given {
  /** The terminal of a run. */
  output: (run: Run) => ReactNode;
  text: HintProps["text"];
  curve: (run: Run) => ReactNode;
}

export function RunPanel({
  chosen,
  onChoose,
  ...given
}: { chosen: string | null; onChoose: (id: string) => void } & Given) {
  const bench = useBench();
  const newest = useStore(bench.live.store, (state) => state.runs);
  const older = useOlder();
  const runs = [...newest, ...older.runs];
  const run = runs.find((one) => one.id === chosen) ?? runs[0] ?? null;
  if (!run) return <NoRun />;
  const next = runs[runs.indexOf(run) - 1];
  return (
    <div className="run-panel">
      <ul className="run-list" aria-label="Runs">
        {runs.map((one) => (
          <Row key={one.id} run={one} chosen={one.id === run.id} onChoose={onChoose} />
        ))}
        {older.next ? (
          <li>
            <button type="button" className="btn btn-ghost btn-sm run-older" onClick={older.load}>
              Show older
            </button>
          </li>
        ) : null}
      </ul>
      <Detail run={run} next={next ?? null} {...given} />
    </div>
  );
}

/** Why no run is listed: nobody asked for one, no server could run it, or the one that knows is away. */
function NoRun() {
  const bench = useBench();
  const told = useStore(bench.live.store, (state) => state.runsTold);
  const connection = useStore(bench.live.store, (state) => state.connection);
  const run = find(bench.actions(), "run.start");
  const start = hintOf(run);
  const lack = lackOf(connection);
  if (connection.state === "local") {
    const way = run.unavailable === null ? run : find(bench.actions(), "sync.upload");
    return (
      <Empty
        icon="play"
        title={lack ?? ""}
        text="Runs are a server's. In a terminal of this computer everything runs at once."
        grow
        actions={<Act action={way} primary />}
      />
    );
  }
  if (told || lack === null)
    return (
      <Empty
        icon="play"
        title="Nothing ran yet"
        text={`${start}. What it writes is kept here.`}
        grow
      />
    );
  return (
    <Empty
      icon="cloud-off"
      title={`${lack}, and its runs are not known here`}
      text={bench.live.waits ? `${start}. It starts once, when the server is back.` : null}
      grow
      late
    />
  );
}

/** Pages before the newest, fetched one by one; a run that begins moves all pages, and they are fetched anew. */
function useOlder() {
  const bench = useBench();
  const first = useStore(bench.live.store, (state) => state.olderRuns);
  const [held, setHeld] = useState<Older | null>(null);
  const pages = held?.first === first ? held : { first, runs: [], next: first };
  const load = () => {
    if (!pages.next) return;
    bench.live.calls.runs(pages.next).then(
      (page) => setHeld({ first, runs: [...pages.runs, ...page.runs], next: page.next ?? null }),
      (error: unknown) => bench.toast({ tone: "danger", text: failureOf(error).detail }),
    );
  };
  return { ...pages, load };
}

interface Older {
  /** Where the first of these pages begins. */
  first: string | null;
  runs: readonly Run[];
  next: string | null;
}

function Row({
  run,
  chosen,
  onChoose,
}: {
  run: Run;
  chosen: boolean;
  onChoose: (id: string) => void;
}) {
  const { live } = useBench();
  const words = runWords(run, live.waits);
  return (
    <li>
      <button
        type="button"
        className={`run-row${chosen ? " is-selected" : ""}`}
        aria-current={chosen}
        onClick={() => onChoose(run.id)}
      >
        <Icon name={words.icon} className={words.tone} />
        <span className="run-name truncate">{nameOfRun(run)}</span>
        <span className="faint num small">
          {run.duration_ms === undefined ? "" : duration(run.duration_ms)}
        </span>
        <span className="run-state truncate small faint">{words.text}</span>
        <span className="faint num small">{timeOfDay(run.created_at)}</span>
      </button>
    </li>
  );
}

/** `next`: the run that was begun after it. */
function Detail({ run, next, output, text, curve }: { run: Run; next: Run | null } & Given) {
  const bench = useBench();
  // Pictures come with the files, which are stored before the run is reported over.
  useStore(bench.live.store, (state) => state.treeVersion);
  const [since, until] = [bench.startOf(run), next ? bench.startOf(next) : Infinity];
  const [picture] = picturesOf(run, bench.live.entries.values(), since, until);
  const waits = run.state === "queued" || run.state === "waiting";
  return (
    <section className="run-detail" aria-label={`Run of ${nameOfRun(run)}`}>
      <Head run={run} />
      <RunHint run={run} text={text} curve={curve(run)} />
      <div className="run-body">
        <div className="run-output">
          {waits ? <Queued run={run} /> : output(run)}
          {run.state === "running" ? <TypeHint run={run} /> : null}
        </div>
        {picture ? <RunPicture key={`${run.id} ${picture}`} path={picture} /> : null}
      </div>
    </section>
  );
}

function Head({ run }: { run: Run }) {
  const bench = useBench();
  const words = runWords(run, bench.live.waits);
  const facts = [
    words.text,
    run.duration_ms === undefined ? "" : duration(run.duration_ms),
    run.peak_memory_bytes === undefined ? "" : `peak ${mebibytes(run.peak_memory_bytes)} MiB`,
    run.revision > 0 ? `${isOver(run) ? "ran " : ""}revision ${count(run.revision)}` : "",
  ].filter((fact) => fact !== "");
  return (
    <div className="pane-head run-head">
      <Icon name={words.icon} className={words.tone} />
      <span className="mono truncate run-command" title={run.command}>
        {run.command || nameOfRun(run)}
      </span>
      <span className="faint num truncate">{facts.join(" · ")}</span>
      <span className="push row gap3">
        {isOver(run) ? (
          <button
            type="button"
            className="btn btn-sm"
            onClick={() => void bench.startRun(run.target)}
          >
            <Icon name="rotate" /> Run again
          </button>
        ) : run.state === "flushing" || (run.state === "queued" && bench.live.waits) ? null : (
          <RunStop key={run.id} run={run} />
        )}
      </span>
    </div>
  );
}

function Queued({ run }: { run: Run }) {
  const bench = useBench();
  const here = bench.live.waits;
  return (
    <Empty
      {...(here ? { icon: "clock" } : {})}
      title={runWords(run, here).text}
      text={
        here
          ? "You asked it to wait. It starts once, when all edits are on the server, and never twice."
          : "It starts by itself, once, on the files as you see them now."
      }
      grow
      actions={
        here ? (
          <button type="button" className="btn" onClick={() => void stopRun(bench, run.id)}>
            Remove from the queue
          </button>
        ) : null
      }
    />
  );
}

/** Nobody can know whether a program reads; that it may be answered is said for as long as it runs. */
function TypeHint({ run }: { run: Run }) {
  const bench = useBench();
  return (
    <button
      type="button"
      className="run-type btn-reset small faint"
      onClick={() => bench.enterRun(run.id)}
    >
      Click here, or press {find(bench.actions(), "run.type").keys[0]}, to type
    </button>
  );
}
