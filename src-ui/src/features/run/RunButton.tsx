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
  const offline = useStore(bench.live.store, (state) => state.connection.state !== "online");
  const going = runs.find((run) => !isOver(run));
  const target = targetOf(active, bench.live.entries.has("main.py"));
  const what = target ?? runs[0]?.target ?? null;
  const name = target ? target.path.slice(target.path.lastIndexOf("/") + 1) : "";

  if (going && going.state === "running")
    return (
      <button
        type="button"
        className="btn btn-top run-stop"
        onClick={() => void stopRun(bench, going.id)}
        title={hintOf(find(bench.actions(), "run.stop"))}
      >
        <Icon name="stop" className="danger" /> Stop{" "}
        <span className="t-run truncate">{nameOfRun(going).split("/").at(-1)}</span>
      </button>
    );
  return (
    <span className="btn-group run">
      <button
        type="button"
        className="btn btn-primary btn-top"
        disabled={!what || offline}
        title={hintOf(find(bench.actions(), "run.start"))}
        aria-label={name ? `Run ${name}` : "Run"}
        onClick={() => what && void bench.startRun(what)}
      >
        <Icon name="play-solid" className="icon-xs" />
        <span className="t-run">Run{name ? ` ${name}` : ""}</span>
      </button>
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
    </span>
  );
}
