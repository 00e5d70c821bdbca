/** Run, the one filled button of the frame: the active file, tasks, and what ran before. */
import { find, hintOf } from "../../bench/actions";
import { useBench, useStore } from "../../bench/bench";
import { Icon } from "../../ui/Icon";
import { runMenu, stopRun } from "./actions";
import { isOver, nameOfRun, targetOf } from "./words";

export function RunButton() {
  const bench = useBench();
  const active = useStore(bench.editor, (facts) => facts.active);
  const runs = useStore(bench.live.store, (state) => state.runs);
  const away = useStore(bench.live.store, (state) => state.connection.state !== "online");
  const queues = away && bench.live.waits;
  const offline = away && !queues;
  const going = runs.find((run) => !isOver(run));
  const target = targetOf(active, bench.live.entries.has("main.py"));
  const what = target ?? runs[0]?.target ?? null;
  const name = target ? target.path.slice(target.path.lastIndexOf("/") + 1) : "";

  const stops = going?.state === "running" ? going : null;
  const { id, name: label } = stops
    ? { id: "run.stop", name: nameOfRun(stops).split("/").at(-1) }
    : { id: "run.start", name };

  const verb = queues ? "Queue" : "Run";
  // One button for both, so that the focus of who pressed it is not lost.
  return (
    <span className="btn-group run">
      <button
        type="button"
        className={`btn btn-top ${stops ? "run-stop" : "btn-primary"}`}
        disabled={!stops && (!what || offline)}
        title={hintOf(find(bench.actions(), id))}
        aria-label={[stops ? "Stop" : verb, label].filter(Boolean).join(" ")}
        onClick={() => {
          if (stops) void stopRun(bench, stops.id);
          else if (what) void bench.startRun(what);
        }}
      >
        {stops ? (
          <Icon name="stop" className="danger" />
        ) : (
          <Icon name={queues ? "clock" : "play-solid"} className="icon-xs" />
        )}
        {stops ? "Stop " : null}
        <span className="t-run truncate">{stops ? label : [verb, label].join(" ").trim()}</span>
      </button>
      {stops ? null : (
        <button
          type="button"
          className="btn btn-primary btn-icon btn-top run-more"
          aria-label="Run options"
          aria-haspopup="menu"
          title="Tasks and commands"
          disabled={offline}
          onClick={async (event) => {
            const at = event.currentTarget;
            bench.menu(at, await runMenu(bench));
          }}
        >
          <Icon name="chevron-down" className="icon-sm" />
        </button>
      )}
    </span>
  );
}
