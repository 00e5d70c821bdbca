/** The output of a run that is over, read as text by the key that reads a terminal. */
import { expect, test } from "vitest";
import { page, userEvent } from "vitest/browser";
import { find } from "../../bench/actions";
import { benchScene } from "../../dev/benchStage";
import { stage } from "../../dev/stage";
import { terminalActions } from "./actions";
import { KeptOutput } from "./KeptOutput";
import { Terminals, type TerminalTab } from "./terminals";

test("the key reads the output that has the focus, and not the shell behind it", async () => {
  const { bench, live, host, around } = await benchScene();
  const terminals = new Terminals(live, { confirmPaste: async () => false }, host);
  const shell = { id: "shell", run: null, place: "here" } as TerminalTab;
  terminals.store.setState({ tabs: [shell], active: "shell" });
  const load = async () => new TextEncoder().encode("typed 42\r\n");
  await stage(
    around(
      <section className="panel" style={{ width: 600, height: 200 }}>
        <KeptOutput terminals={terminals} id="r1" name="main.py" load={load} />
      </section>,
    ),
    { desktop: true },
  );
  const output = page.getByRole("textbox", { name: "Output of main.py" });
  await expect.element(output).toBeInTheDocument();
  (output.element() as HTMLElement).focus();
  find(terminalActions(bench, terminals), "terminal.read").run();
  const text = page.getByRole("textbox", { name: /^Terminal output as text/ });
  await expect.element(text).toHaveFocus();
  await expect.element(text).toHaveValue("typed 42");
  await userEvent.keyboard("{Escape}");
  await expect.element(output).toHaveFocus();
});
