/** Everything that can be done in the IDE, once: keys, palette and the list of shortcuts are made from it. */
import { isOver, targetOf } from "../features/run/words";
import type { Workbench } from "./workbench";

export interface Action {
  /** For programs; stable. */
  id: string;
  /** For people, beginning with a verb. */
  title: string;
  icon: string;
  /** Key chords as people read them, the shown one first: `Ctrl+Shift+P`. Ctrl is also Command. */
  keys: readonly string[];
  /** Why it cannot be done now; null when it can. */
  unavailable: string | null;
  run: () => void;
}

/** What only the frame can open. */
export interface Frames {
  /** The command box, with what it starts with. */
  ask: (start: string) => void;
  shortcuts: () => void;
}

/** All actions, as things stand now. */
export function actionsOf(workbench: Workbench, frames: Frames): Action[] {
  return [
    ...findActions(frames),
    ...fileActions(workbench),
    ...runActions(workbench),
    ...viewActions(workbench),
  ];
}

function action(
  id: string,
  title: string,
  icon: string,
  keys: readonly string[],
  run: () => void,
  unavailable: string | null = null,
): Action {
  return { id, title, icon, keys, run, unavailable };
}

function findActions({ ask, shortcuts }: Frames): Action[] {
  return [
    action("find.file", "Go to file", "search", ["Ctrl+P"], () => ask("")),
    action("find.command", "Show all commands", "list", ["Ctrl+Shift+P", "F1"], () => ask(">")),
    action("find.keys", "Show keyboard shortcuts", "command", ["Ctrl+Shift+K"], shortcuts),
  ];
}

function fileActions({ bench, editor, explorer }: Workbench): Action[] {
  const { active } = editor.tabs.getState();
  const none = active ? null : "No file is open.";
  const closeActive = () => {
    if (active) void editor.close(active);
  };
  const goToLine = () => editor.command("editor.action.gotoLine");
  return [
    action("file.new", "New file", "file-plus", ["Alt+N"], () => explorer.create("file")),
    action("folder.new", "New folder", "folder-plus", [], () => explorer.create("folder")),
    action("file.save", "Save everything", "check", ["Ctrl+S"], () => void bench.saveAll()),
    action("file.close", "Close this file", "x", ["Alt+W"], closeActive, none),
    action("file.line", "Go to line", "list", ["Ctrl+G"], goToLine, none),
    action("file.previous", "Previous file", "list", ["Ctrl+PageUp"], () => editor.step(-1), none),
    action("file.next", "Next file", "list", ["Ctrl+PageDown"], () => editor.step(1), none),
  ];
}

function runActions({ bench, editor, live }: Workbench): Action[] {
  const target = targetOf(editor.tabs.getState().active, live.entries.has("main.py"));
  const going = live.state.runs.find((one) => !isOver(one));
  const offline = live.state.connection.state === "online" ? null : "The server is not connected.";
  const start = () => {
    if (target) void bench.startRun(target);
  };
  const stop = () => {
    if (going) void live.calls.stopRun(going.id).catch(() => undefined);
  };
  const cannotRun = offline ?? (target ? null : "Open a file that can be run.");
  const cannotStop = offline ?? (going ? null : "Nothing runs.");
  const session = live.liveSession ? "A session is there already." : null;
  return [
    action("run.start", "Run this file", "play", ["Ctrl+F5", "Ctrl+Alt+R"], start, cannotRun),
    action("run.stop", "Stop the run", "stop", ["Shift+F5"], stop, cannotStop),
    action(
      "terminal.new",
      "New terminal",
      "terminal",
      ["Ctrl+Shift+`", "Ctrl+Shift+~"],
      () => void bench.newTerminal(),
      offline,
    ),
    action(
      "session.start",
      "Start session",
      "play",
      [],
      () => void bench.startSession(),
      offline ?? session,
    ),
  ];
}

function viewActions({ bench, frame }: Workbench): Action[] {
  const togglePanel = () => {
    const { panelOpen, panelTab } = frame.getState();
    if (panelOpen) bench.hidePanel();
    else bench.showPanel(panelTab);
  };
  const toggleTerminal = () => {
    const { panelOpen, panelTab } = frame.getState();
    if (panelOpen && panelTab === "terminal") bench.hidePanel();
    else bench.showPanel("terminal");
  };
  const toggleSide = () => frame.setState((state) => ({ sideOpen: !state.sideOpen }));
  const toExplorer = () => {
    frame.setState({ sideOpen: true });
    document.querySelector<HTMLElement>(".explorer-tree")?.focus();
  };
  return [
    action("view.explorer", "Go to the explorer", "copy", ["Ctrl+Shift+E"], toExplorer),
    action("view.side", "Show or hide the explorer", "copy", ["Ctrl+B"], toggleSide),
    action("view.panel", "Show or hide the panel", "panel-bottom", ["Ctrl+J"], togglePanel),
    action("view.terminal", "Show or hide the terminal", "terminal", ["Ctrl+`"], toggleTerminal),
    action("view.runs", "Show runs", "panel-bottom", [], () => bench.showPanel("run")),
  ];
}

/** The chord of a key press, as actions write it. */
export function chordOf(event: {
  key: string;
  ctrlKey: boolean;
  metaKey: boolean;
  altKey: boolean;
  shiftKey: boolean;
}): string {
  const key = event.key.length === 1 ? event.key.toUpperCase() : event.key;
  const parts = [
    event.ctrlKey || event.metaKey ? "Ctrl" : "",
    event.altKey ? "Alt" : "",
    event.shiftKey ? "Shift" : "",
    key,
  ];
  return parts.filter(Boolean).join("+");
}

/** The keys of an action for a tooltip: `New terminal (Ctrl+Shift+`)`. */
export function hint(title: string, keys: readonly string[]): string {
  return keys[0] ? `${title} (${keys[0]})` : title;
}
