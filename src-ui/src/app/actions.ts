/** The registry: what every feature offers, and what the frame can do itself. */
import { type Action, action } from "../bench/actions";
import { editorActions } from "../features/editor/actions";
import { conflictActions } from "../features/editor/conflict/actions";
import { explorerActions } from "../features/explorer/commands";
import { historyActions, shownHistoryActions } from "../features/history/actions";
import { runActions } from "../features/run/actions";
import { sessionActions } from "../features/session/actions";
import { syncActions } from "../features/sync/actions";
import { terminalActions } from "../features/terminal/actions";
import { moveBetweenRegions } from "./regions";
import type { Workbench } from "./workbench";

/** All actions, as things stand now. */
export function actionsOf(workbench: Workbench): Action[] {
  const { bench, editor, explorer, frame, terminals } = workbench;
  const show = () => frame.setState({ sideOpen: true });
  return [
    ...shownConflict(workbench),
    ...shownVersions(workbench),
    ...findActions(workbench),
    ...explorerActions(bench, explorer, show),
    ...editorActions(bench, editor),
    ...runActions(bench),
    ...terminalActions(bench, terminals),
    ...sessionActions(bench),
    ...syncActions(bench),
    ...historyActions(bench),
    ...viewActions(workbench),
    ...workbench.own(),
  ];
}

/** Before all others: its keys are those of an editor, which stands behind it. */
export function shownConflict(workbench: Workbench): Action[] {
  const resolver = workbench.main.conflict();
  return resolver ? conflictActions(resolver) : [];
}

export function shownVersions(workbench: Workbench): Action[] {
  const history = workbench.main.versions();
  return history ? shownHistoryActions(workbench.bench, history) : [];
}

let turn = 0;

function findActions({ frame }: Workbench): Action[] {
  const ask = (start: string) => () => {
    turn += 1;
    frame.setState({ over: { kind: "palette", start, turn } });
  };
  return [
    action("find.file", "Go to file", "search", ask(""), { keys: ["Ctrl+P"] }),
    action("find.command", "Show all commands", "command", ask(">"), {
      keys: ["Ctrl+Shift+P", "F1"],
    }),
    action(
      "find.keys",
      "Show keyboard shortcuts",
      "help",
      () => frame.setState({ over: { kind: "shortcuts" } }),
      { keys: ["Alt+F1"] },
    ),
  ];
}

function viewActions(workbench: Workbench): Action[] {
  const { bench, frame } = workbench;
  const togglePanel = () => {
    const { panelOpen, panelTab } = frame.getState();
    if (panelOpen) bench.hidePanel();
    else bench.showPanel(panelTab);
  };
  return [
    action("view.explorer", "Go to the explorer", "folder", () => bench.enterSide("explorer"), {
      keys: ["Ctrl+Shift+E"],
    }),
    action("view.side", "Show or hide the side bar", "panel-left", () => workbench.toggleSide(), {
      keys: ["Ctrl+B"],
    }),
    action("view.panel", "Show or hide the panel", "panel-bottom", togglePanel, {
      keys: ["Ctrl+J"],
    }),
    action("panel.close", "Close panel", "x", () => bench.hidePanel()),
    action(
      "view.terminal",
      "Show or hide the terminal",
      "terminal",
      () => workbench.toggleTerminal(),
      { keys: ["Ctrl+`"] },
    ),
    action("workspace.export", "Export this workspace as zip", "download", () =>
      workbench.host.download(`/workspaces/${workbench.live.calls.workspace}/export`),
    ),
    action("view.next", "Go to the next region", "arrow-right", () => moveBetweenRegions(1), {
      keys: ["F6"],
    }),
    action("view.previous", "Go to the region before", "arrow-left", () => moveBetweenRegions(-1), {
      keys: ["Shift+F6"],
    }),
  ];
}
