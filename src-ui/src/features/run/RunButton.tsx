/** Run, the one filled button of the frame: the active file, tasks, and what ran before. */
import { type MenuEntry, useBench, useStore } from "../../bench/bench";
import { failureOf } from "../../host/ide";
import { Icon } from "../../ui/Icon";
import { isOver, nameOfRun, targetOf } from "./words";

export function RunButton() {
  const bench = useBench();
  const active = useStore(bench.editor, (facts) => facts.active);
  const runs = useStore(bench.live.store, (state) => state.runs);
  const offline = useStore(bench.live.store, (state) => state.connection.state !== "online");
  const going = runs.find((run) => !isOver(run));
  const target = targetOf(active, bench.live.entries.has("main.py"));
  const last = runs[0]?.target ?? null;
  const what = target ?? last;
  const name = target ? target.path.slice(target.path.lastIndexOf("/") + 1) : "";

  const menu = async (at: Element) => {
    const entries: (MenuEntry | null)[] = [];
    try {
      const { tasks, problems } = await bench.live.calls.tasks();
      for (const task of tasks)
        entries.push({
          label: task.name,
          icon: "play",
          run: () => void bench.startRun({ kind: "task", name: task.name }),
        });
      for (const problem of problems)
        entries.push({ label: problem, icon: "alert", disabled: problem, run: () => undefined });
    } catch (error) {
      entries.push({
        label: "Tasks could not be read",
        disabled: failureOf(error).detail,
        run: () => undefined,
      });
    }
    const seen = new Set<string>();
    const recent = runs
      .filter((run) => !seen.has(run.command) && seen.add(run.command))
      .slice(0, 5);
    if (recent.length > 0) {
      if (entries.length > 0) entries.push(null);
      for (const run of recent)
        entries.push({
          label: nameOfRun(run),
          icon: "history",
          run: () => void bench.startRun(run.target),
        });
    }
    if (entries.length > 0) entries.push(null);
    entries.push({
      label: "Run a command…",
      icon: "terminal",
      run: () =>
        void bench
          .ask({
            title: "Run a command",
            label: "Command line",
            value: "",
            yes: "Run",
            problem: (value) => (value.trim() === "" ? "Type a command." : null),
          })
          .then((line) => {
            if (line) void bench.startRun({ kind: "command", line });
          }),
    });
    bench.menu(at, entries);
  };

  if (going && going.state === "running")
    return (
      <button
        type="button"
        className="btn btn-top"
        onClick={() => void bench.live.calls.stopRun(going.id).catch(() => undefined)}
        title="Stop (Shift+F5)"
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
        title={offline ? "The server does not answer" : "Run (Ctrl+F5)"}
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
        disabled={offline}
        onClick={(event) => void menu(event.currentTarget)}
      >
        <Icon name="chevron-down" className="icon-sm" />
      </button>
    </span>
  );
}
