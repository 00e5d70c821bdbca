/** What can be done with open files. */
import { type Action, action } from "../../bench/actions";
import type { Bench } from "../../bench/bench";
import type { EditorSession } from "./session";

export function editorActions(bench: Bench, editor: EditorSession): Action[] {
  const { active, tabs } = editor.tabs.store.getState();
  const none = active ? null : "No file is open";
  const others = tabs.filter((tab) => tab.path !== active);
  const close = (paths: readonly string[]) => {
    for (const path of paths) editor.close(path);
  };
  const alone = none ?? (others.length > 0 ? null : "No other file is open");
  const inEditor = (id: string) => () => editor.command(id);
  return [
    action("editor.save", "Save everything", "check", () => void bench.saveAll(), {
      keys: ["Ctrl+S"],
    }),
    action("editor.close", "Close this file", "x", () => close(active ? [active] : []), {
      keys: ["Alt+W"],
      unavailable: none,
    }),
    action(
      "editor.closeOthers",
      "Close other files",
      "x",
      () => close(others.map((tab) => tab.path)),
      {
        unavailable: alone,
      },
    ),
    action("editor.previous", "Previous file", "arrow-left", () => editor.step(-1), {
      keys: ["Ctrl+PageUp"],
      unavailable: alone,
    }),
    action("editor.next", "Next file", "arrow-right", () => editor.step(1), {
      keys: ["Ctrl+PageDown"],
      unavailable: alone,
    }),
    action("editor.line", "Go to line", "corner-down-right", inEditor("editor.action.gotoLine"), {
      keys: ["Ctrl+G"],
      unavailable: none,
      told: true,
    }),
    action("editor.find", "Find in this file", "search", inEditor("actions.find"), {
      keys: ["Ctrl+F"],
      unavailable: none,
      told: true,
    }),
    action(
      "editor.replace",
      "Replace in this file",
      "search",
      inEditor("editor.action.startFindReplaceAction"),
      { keys: ["Ctrl+H"], unavailable: none, told: true },
    ),
    action(
      "editor.copyPath",
      "Copy the path of this file",
      "copy",
      () => {
        if (active) void bench.host.clipboard.write(active).catch(() => undefined);
      },
      { unavailable: none },
    ),
  ];
}
