/** What can be done with open files. */
import { type Action, action } from "../../bench/actions";
import type { Bench } from "../../bench/bench";
import type { Editor } from "./editor";
import { languageName, languages } from "./shape";
import { indentWords, type Writing } from "./stage";
import { troubleActions } from "./trouble";

export function editorActions(bench: Bench, editor: Editor): Action[] {
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
    ...troubleActions(bench.host, editor),
    ...writingActions(editor),
    action("editor.encoding", "Explain the encoding of files", "info", () =>
      bench.toast({
        text: "Files are UTF-8 here. Convert others in a terminal, for example with iconv -f LATIN1 -t UTF-8.",
      }),
    ),
  ];
}

const INDENTS = [
  { title: "Indent with 2 spaces", spaces: true, tabSize: 2 },
  { title: "Indent with 4 spaces", spaces: true, tabSize: 4 },
  { title: "Indent with 8 spaces", spaces: true, tabSize: 8 },
  { title: "Indent with tabs of 4", spaces: false, tabSize: 4 },
  { title: "Indent with tabs of 8", spaces: false, tabSize: 8 },
];
const ENDINGS = ["LF", "CRLF"] as const;

/** How the shown text is written; the status bar offers each group behind the value that holds. */
function writingActions(editor: Editor): Action[] {
  const facts = editor.facts.getState();
  const unavailable = facts.line > 0 ? null : "No text is shown";
  const choice = (id: string, title: string, how: Writing, checked: boolean) =>
    action(id, title, "file-text", () => editor.write(how), { unavailable, checked });
  return [
    ...INDENTS.map(({ title, ...how }) =>
      choice(`editor.indent.${title}`, title, how, facts.indent === indentWords(how)),
    ),
    ...ENDINGS.map((ending) =>
      choice(
        `editor.ending.${ending}`,
        `End lines with ${ending}`,
        { ending },
        facts.ending === ending,
      ),
    ),
    ...languages().map((language) => {
      const name = languageName(language);
      const id = `editor.language.${language}`;
      return choice(id, `Read this file as ${name}`, { language }, facts.language === name);
    }),
  ];
}
