/** What can be done with the versions of a file. */
import { type Action, action } from "../../bench/actions";
import type { Bench } from "../../bench/bench";
import { lackOf } from "../../host/lack";
import { timeOfDay } from "../../ui/words";
import { type FileHistory, textOf } from "./model";

/** The way to the history of the open file. */
export function historyActions(bench: Bench): Action[] {
  const { active } = bench.editor.getState();
  return [
    action(
      "history.show",
      "Show the history of this file",
      "history",
      () => active && bench.enterHistory(active),
      {
        keys: ["Ctrl+Alt+H"],
        unavailable: active ? null : "No file is open",
      },
    ),
  ];
}

/** While a history is shown. */
export function shownHistoryActions(bench: Bench, history: FileHistory): Action[] {
  const { versions, before } = history.state;
  const { version, at } = history;
  // What this computer keeps needs no server.
  const lack = version?.here ? null : lackOf(bench.live.state.connection);
  const text = textOf(before);
  const present = history.isPresent ? "This version is the present one" : null;
  const gone = version && (!version.entry || !version.kept) ? "Its content is not there" : null;
  const when = version ? ` ${timeOfDay(version.at)}` : "";
  return [
    action("history.older", "Older version", "arrow-left", () => history.step(1), {
      keys: ["Alt+ArrowLeft"],
      unavailable: at < versions.length - 1 ? null : "There is no older version",
    }),
    action("history.newer", "Newer version", "arrow-right", () => history.step(-1), {
      keys: ["Alt+ArrowRight"],
      unavailable: at > 0 ? null : "There is no newer version",
    }),
    action("history.copy", "Copy old text", "copy", () => void copy(bench, text ?? ""), {
      unavailable: text === null ? "There is no text to copy" : null,
    }),
    action("history.restore", `Restore${when}`, "undo", () => void restore(bench, history), {
      unavailable: present ?? gone ?? lack,
    }),
  ];
}

async function copy(bench: Bench, text: string): Promise<void> {
  try {
    await bench.host.clipboard.write(text);
    bench.toast({ text: "The old text is copied." });
  } catch {
    bench.toast({ tone: "warn", text: "The browser did not let it be copied." });
  }
}

/** What is unsaved becomes a version first, so that nothing is lost. */
async function restore(bench: Bench, history: FileHistory): Promise<void> {
  const { path, version } = history;
  if (!version) return;
  const name = path.slice(path.lastIndexOf("/") + 1);
  try {
    await bench.saveAll();
    const back = await history.restore(version);
    const undo = () =>
      back?.().catch((error: unknown) => bench.failed(error, "It was not taken back."));
    const offer = back ? { action: { label: "Undo", run: () => void undo() } } : {};
    bench.toast({ text: `${name} is as it was at ${timeOfDay(version.at)}.`, ...offer });
  } catch (error) {
    bench.failed(error, `${name} was not restored.`);
  }
}
