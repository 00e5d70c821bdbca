/** Run, the one filled button of the frame: the active file, tasks, and what ran before. */
import { find, hintOf } from "../../bench/actions";
import { useBench, useStore } from "../../bench/bench";
import { Icon } from "../../ui/Icon";
import { lackToRun, runMenu, stopRun } from "./actions";
import { isOver, nameOfRun, targetOf } from "./words";

export function RunButton() {
  const bench = useBench();
  const active = useStore(bench.editor, (facts) => facts.active);
  const runs = useStore(bench.live.store, (state) => state.runs);
  // Moves with the server, too, while the workspace is only on this computer.
  useStore(bench.live.store, (state) => state.connection);
  const queues = bench.live.waits;
  const lack = lackToRun(bench);
  const going = runs.find((run) => !isOver(run));
  const target = targetOf(active, bench.live.entries.has("main.py"));
  const what = target ?? runs[0]?.target ?? null;
  const name = target ? target.path.slice(target.path.lastIndexOf("/") + 1) : "";

  const stops = going?.state === "running" ? going : null;
  const { id, name: label } = stops
    ? { id: "run.stop", name: nameOfRun(stops).split("/").at(-1) }
    : { id: "run.start", name };

  const verb = queues ? "Queue" : "Run";
  const action = find(bench.actions(), id);
  const why = stops ? null : (lack ?? (what ? null : action.unavailable));
  // One button for both, so that the focus of who pressed it is not lost.
  return (
    <span className="btn-group run">
      <button
        type="button"
        className={`btn btn-top ${stops ? "run-stop" : "btn-primary"}`}
        aria-disabled={why !== null}
        title={hintOf(action)}
        aria-label={[stops ? "Stop" : verb, label].filter(Boolean).join(" ")}
        onClick={() => {
          if (why !== null) bench.toast({ text: `${action.title}: ${why}` });
          else if (stops) void stopRun(bench, stops.id);
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
          title={lack === null ? "Tasks and commands" : `Tasks and commands: ${lack}`}
          aria-disabled={lack !== null}
          onClick={async (event) => {
            const at = event.currentTarget;
            if (lack !== null) return bench.toast({ text: `Tasks and commands: ${lack}` });
            bench.menu(at, await runMenu(bench));
          }}
        >
          <Icon name="chevron-down" className="icon-sm" />
        </button>
      )}
    </span>
  );
}
