/** What can be done with terminals. */
import { type Action, action } from "../../bench/actions";
import type { Bench } from "../../bench/bench";
import { lackOf } from "../../host/lack";
import { PASTES } from "./keys";
import type { Terminals } from "./terminals";

const CTRL_V = "\u0016";

export function terminalActions(bench: Bench, terminals: Terminals): Action[] {
  const { active, tabs } = terminals.store.getState();
  const shown = tabs.find((tab) => tab.id === active) ?? null;
  const none = shown ? null : "No terminal is open";
  const offline = lackOf(bench.live.state.connection);
  const local = bench.here !== null;
  const on = (act: (id: string) => void) => () => {
    if (!shown) return;
    bench.showPanel("terminal");
    act(shown.id);
  };
  const step = (by: number) => () => {
    bench.showPanel("terminal");
    const id = terminals.step(by);
    if (id) terminals.focus(id);
  };
  const single = tabs.filter((tab) => !tab.run).length > 1 ? null : "There is no other terminal";
  const reads = terminals.readsAloud;
  return [
    action("terminal.new", "New terminal", "plus", () => void bench.newTerminal(), {
      keys: ["Ctrl+Shift+`"],
      unavailable: local && terminals.usualPlace() === "here" ? null : offline,
    }),
    ...(local
      ? [
          action(
            "terminal.here",
            "New terminal on this computer",
            "monitor",
            () => void bench.newTerminal("here"),
          ),
          action(
            "terminal.session",
            "New terminal in the session",
            "cloud",
            () => void bench.newTerminal("session"),
            { unavailable: offline },
          ),
        ]
      : []),
    action(
      "terminal.find",
      "Find in the terminal",
      "search",
      on((id) => terminals.aside(id, "find")),
      { keys: ["Ctrl+Shift+F"], unavailable: none, told: true },
    ),
    action(
      "terminal.copy",
      "Copy what is selected in the terminal",
      "copy",
      on((id) => terminals.copy(id)),
      { keys: ["Ctrl+Shift+C"], unavailable: none, told: true },
    ),
    action(
      "terminal.paste",
      "Paste into the terminal",
      "file-text",
      on((id) => void paste(bench, terminals, id)),
      { keys: PASTES, unavailable: none, told: true },
    ),
    action(
      "terminal.verbatim",
      "Send Ctrl+V to the program in the terminal",
      "terminal",
      on((id) => void terminals.type(id, CTRL_V)),
      { keys: ["Ctrl+Alt+V"], unavailable: none },
    ),
    action(
      "terminal.clear",
      "Clear the terminal",
      "minus",
      on((id) => terminals.clear(id)),
      { unavailable: none },
    ),
    action(
      "terminal.rename",
      "Rename the terminal",
      "pencil",
      on((id) => terminals.aside(id, "rename")),
      { keys: ["F2"], unavailable: none, told: true },
    ),
    action(
      "terminal.read",
      "Read the terminal as plain text",
      "eye",
      () => {
        // In the panel what is shown there, elsewhere the terminal that is one's own.
        const inPanel = document.activeElement?.closest(".panel") ? terminals.inSight : null;
        const id = inPanel ?? active ?? terminals.inSight;
        if (id !== null && id === active) bench.showPanel("terminal");
        if (id !== null) terminals.aside(id, "read");
      },
      { keys: ["Alt+F2"], unavailable: terminals.inSight === null ? none : null },
    ),
    action(
      "terminal.screenReader",
      reads ? "Stop announcing terminal output" : "Announce terminal output to screen readers",
      "message",
      () => terminals.readAloud(!reads),
    ),
    action("terminal.next", "Next terminal", "arrow-right", step(1), { unavailable: single }),
    action("terminal.previous", "Previous terminal", "arrow-left", step(-1), {
      unavailable: single,
    }),
    action(
      "terminal.close",
      "Close the terminal",
      "x",
      on((id) => void terminals.close(id)),
      { keys: ["Delete"], unavailable: none, told: true, danger: true },
    ),
  ];
}

async function paste(bench: Bench, terminals: Terminals, id: string): Promise<void> {
  try {
    await terminals.paste(id);
  } catch {
    terminals.focus(id);
    bench.toast({ text: "The browser keeps the clipboard from this page. Ctrl+V pastes here." });
  }
}
