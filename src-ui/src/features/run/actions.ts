/** What can be run and stopped. */
import { type Action, action, entryOf, find } from "../../bench/actions";
import type { Bench, MenuEntry } from "../../bench/bench";
import { failureOf } from "../../host/ide";
import { lackOf } from "../../host/lack";
import { isOver, nameOfRun, targetOf } from "./words";

const RECENT = 5;

export function runActions(bench: Bench): Action[] {
  const { live } = bench;
  const { runs } = live.state;
  const target = targetOf(bench.editor.getState().active, live.entries.has("main.py"));
  const going = runs.find((one) => !isOver(one));
  const listening = runs.find((one) => one.state === "running");
  const last = runs[0];
  const offline = lackToRun(bench);
  return [
    action("run.start", startTitle(bench), "play", () => target && void bench.startRun(target), {
      keys: ["Ctrl+F5", "Ctrl+Alt+R"],
      unavailable: offline ?? (target ? null : "Open a file that can be run"),
    }),
    action(
      "run.again",
      "Run the last one again",
      "rotate",
      () => {
        if (last) void bench.startRun(last.target);
      },
      { unavailable: offline ?? (last ? null : "Nothing ran yet") },
    ),
    action("run.stop", "Stop the run", "stop", () => going && void stopRun(bench, going.id), {
      keys: ["Shift+F5"],
      unavailable: offline ?? (going ? null : "Nothing runs"),
    }),
    action(
      "run.type",
      "Type into the run",
      "terminal",
      () => listening && bench.enterRun(listening.id),
      { keys: ["Alt+I"], unavailable: listening ? null : "No program runs" },
    ),
    action("run.command", "Run a command…", "terminal", () => void runCommand(bench), {
      unavailable: offline,
    }),
    action("run.task", "Choose a task to run…", "list", () => void chooseTask(bench), {
      unavailable: offline,
    }),
    action("run.show", "Show runs", "history", () => bench.showPanel("run")),
  ];
}

/** Why nothing can be run now; null when something can, at once or after what it takes. */
export function lackToRun({ live }: Bench): string | null {
  // What can wait is queued instead.
  if (live.waits) return null;
  const { connection } = live.state;
  if (connection.state !== "local") return lackOf(connection);
  // It goes to a server first, and before that somebody signs in.
  const { status } = live.connection;
  return status.state === "signed-out" ? null : lackOf(status);
}

function startTitle({ live }: Bench): string {
  if (live.waits) return "Queue this file until the server answers";
  if (live.state.connection.state !== "local") return "Run this file";
  return live.connection.status.state === "signed-out"
    ? "Sign in to a server to run this file…"
    : "Upload this workspace to run this file…";
}

/** Asks the program to end; asking again goes on to the next, harder signal. */
export async function stopRun(bench: Bench, id: string): Promise<void> {
  try {
    await bench.live.calls.stopRun(id);
  } catch (error) {
    bench.toast({ tone: "danger", text: failureOf(error).detail });
  }
}

async function runCommand(bench: Bench): Promise<void> {
  const line = await bench.ask({
    title: "Run a command",
    label: "Command line",
    value: "",
    yes: "Run",
    problem: (value) => (value.trim() === "" ? "Type a command." : null),
  });
  if (line) await bench.startRun({ kind: "command", line });
}

async function chooseTask(bench: Bench): Promise<void> {
  const at = document.querySelector(".run-more") ?? document.querySelector(".run-stop");
  if (at) bench.menu(at, await runMenu(bench));
}

/** Tasks with what is wrong in their files, what ran before, and any command. */
export async function runMenu(bench: Bench): Promise<(MenuEntry | null)[]> {
  const parts = [await tasks(bench), recent(bench)].filter((part) => part.length > 0);
  const command = entryOf(find(bench.actions(), "run.command"));
  return [...parts.flatMap((part) => [...part, null]), command];
}

async function tasks(bench: Bench): Promise<MenuEntry[]> {
  const nothing = () => undefined;
  try {
    const { tasks, problems } = await bench.live.calls.tasks();
    return [
      ...tasks.map(({ name, command }) => ({
        label: name,
        icon: "play",
        keys: command.length > 40 ? `${command.slice(0, 39)}…` : command,
        run: () => void bench.startRun({ kind: "task", name }),
      })),
      ...problems.map((problem) => ({
        label: problem,
        icon: "alert",
        disabled: problem,
        run: nothing,
      })),
    ];
  } catch (error) {
    const { detail } = failureOf(error);
    return [{ label: "Tasks could not be read", icon: "alert", disabled: detail, run: nothing }];
  }
}

function recent(bench: Bench): MenuEntry[] {
  const seen = new Set<string>();
  return bench.live.state.runs
    .filter((run) => !seen.has(run.command) && seen.add(run.command))
    .slice(0, RECENT)
    .map((run) => ({
      label: nameOfRun(run),
      icon: "history",
      run: () => void bench.startRun(run.target),
    }));
}
