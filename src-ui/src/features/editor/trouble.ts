/** What can be done about the open file when it needs the person: a conflict, a deletion, a failed save. */
import { type Action, action } from "../../bench/actions";
import type { Host } from "../../host/host";
import type { BufferInfo } from "./buffer";
import type { Editor, Texts } from "./editor";

/** Nothing while the open file is in no trouble. */
export function troubleActions(host: Host, editor: Editor): Action[] {
  const { shown, texts } = editor;
  if (!shown || !texts) return [];
  const { path, save } = shown;
  if (save === "conflict") return conflictActions(host, editor, texts, shown);
  if (shown.gone)
    return [
      action("trouble.revive", "Bring the file back", "rotate", () => void texts.revive(path)),
      action("trouble.forget", "Close and forget the text", "x", () => void editor.discard(path)),
    ];
  if (save === "failed")
    return [action("trouble.save", "Save this file again", "check", () => void texts.save(path))];
  return [];
}

/** A choice between two versions is for what is shown: each carries the version that it was made for. */
function conflictActions(host: Host, editor: Editor, texts: Texts, info: BufferInfo): Action[] {
  const { path, theirsHash } = info;
  const on = editor.compared === path;
  const compare = () => editor.compare(on ? null : path);
  const copyMine = () => {
    const text = texts.model(path)?.text() ?? "";
    const name = path.slice(path.lastIndexOf("/") + 1);
    host.saveFile(`mine-${name}`, new Blob([text]));
  };
  const choices = [
    action("trouble.copy", "Download mine", "download", copyMine),
    action("trouble.mine", "Keep mine", "check", () => void texts.keepMine(path, theirsHash)),
    action("trouble.theirs", "Take theirs", "cloud", () => void texts.takeTheirs(path, theirsHash)),
  ];
  // What is no text cannot be shown beside one.
  if (texts.theirs(path) === null) return choices;
  const title = on ? "Hide difference" : "Compare versions";
  return [action("trouble.compare", title, "diff", compare, { keys: ["Alt+F3"] }), ...choices];
}
