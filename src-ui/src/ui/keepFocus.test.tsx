/** Whatever had the focus may go: its neighbour has it then, and nobody loses their place. */
import { useEffect, useState } from "react";
import { expect, test, vi } from "vitest";
import { page, userEvent } from "vitest/browser";
import { stage } from "../dev/stage";
import { BusyButton } from "./BusyButton";
import { keepFocus } from "./keepFocus";

function List() {
  const [rows, setRows] = useState(["one", "two", "three"]);
  useEffect(keepFocus, []);
  return (
    <main>
      <button type="button">Above</button>
      {rows.length > 0 ? (
        <ul>
          {rows.map((row) => (
            <li key={row}>
              <button type="button" onClick={() => setRows(rows.filter((one) => one !== row))}>
                Undo {row}
              </button>
            </li>
          ))}
        </ul>
      ) : null}
    </main>
  );
}

function Leaves() {
  const [here, setHere] = useState(true);
  useEffect(keepFocus, []);
  return here ? (
    <main>
      <button type="button" onClick={() => setHere(false)}>
        Leave
      </button>
    </main>
  ) : null;
}

function Work({ onPress }: { onPress: () => void }) {
  const [busy, setBusy] = useState(false);
  const begin = () => {
    onPress();
    setBusy(true);
  };
  return (
    <BusyButton type="button" busy={busy} onClick={begin}>
      Go
    </BusyButton>
  );
}

function Room() {
  const [open, setOpen] = useState(true);
  useEffect(keepFocus, []);
  return (
    <main>
      {open ? (
        <button type="button" onClick={() => setOpen(false)}>
          Close
        </button>
      ) : null}
      {/* biome-ignore lint/a11y/useSemanticElements: as the frame has it */}
      <div role="separator" aria-label="Height" aria-valuenow={3} tabIndex={0}>
        edge
      </div>
      <button type="button">New</button>
    </main>
  );
}

const button = (name: string) => page.getByRole("button", { name, exact: true });

test("the row below has the focus of a row that went, then the one above, then what is around", async () => {
  await stage(<List />);
  (button("Undo two").element() as HTMLElement).focus();
  await userEvent.keyboard("{Enter}");
  await expect.element(button("Undo three")).toHaveFocus();
  await userEvent.keyboard("{Enter}");
  await expect.element(button("Undo one")).toHaveFocus();
  await userEvent.keyboard("{Enter}");
  await expect.element(button("Above")).toHaveFocus();
});

test("an edge that arrow keys move is passed by", async () => {
  await stage(<Room />);
  (button("Close").element() as HTMLElement).focus();
  await userEvent.keyboard("{Enter}");
  await expect.element(button("New")).toHaveFocus();
});

test("what was left by a click elsewhere is not missed when it goes", async () => {
  await stage(<List />);
  const one = button("Undo one").element() as HTMLElement;
  one.focus();
  one.blur();
  await Promise.resolve();
  one.click();
  await expect.element(button("Undo one")).not.toBeInTheDocument();
  await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  expect(document.activeElement).toBe(document.body);
});

test("a message that stands beside a page that went does not get its focus", async () => {
  const { popups } = await stage(<Leaves />);
  popups.toast({ text: "tide-notes is off the list." });
  await expect.element(button("Dismiss")).toBeVisible();
  (button("Leave").element() as HTMLElement).focus();
  await userEvent.keyboard("{Enter}");
  await new Promise((done) =>
    requestAnimationFrame(() => requestAnimationFrame(() => requestAnimationFrame(done))),
  );
  expect(document.activeElement).toBe(document.body);
});

test("a dialog gives the focus back to where it was, before anything else can ask for it", async () => {
  const { popups } = await stage(<List />);
  const above = button("Above").element() as HTMLElement;
  above.focus();
  const answer = popups.confirm({ title: "Stop it?", text: "It runs.", yes: "Stop" });
  await expect.element(button("Stop")).toHaveFocus();
  const pressed = new KeyboardEvent("keydown", { key: "Escape", bubbles: true });
  button("Stop").element().dispatchEvent(pressed);
  expect(document.activeElement).toBe(above);
  expect(await answer).toBe(false);
});

test("a question in place of another gives the focus back to where it was before both", async () => {
  const { popups } = await stage(<List />);
  (button("Above").element() as HTMLElement).focus();
  const first = popups.confirm({ title: "Stop it?", text: "It runs.", yes: "Stop" });
  await expect.element(button("Stop")).toHaveFocus();
  const second = popups.confirm({ title: "Start it?", text: "It stands.", yes: "Start" });
  expect(await first).toBe(false);
  await expect.element(button("Start")).toHaveFocus();
  await userEvent.keyboard("{Escape}");
  expect(await second).toBe(false);
  await expect.element(button("Above")).toHaveFocus();
});

test("a button that is busy keeps the focus and is pressed once", async () => {
  const onPress = vi.fn();
  await stage(<Work onPress={onPress} />);
  (button("Go").element() as HTMLElement).focus();
  await userEvent.keyboard("{Enter}{Enter}");
  await expect.element(button("Go")).toHaveAttribute("aria-disabled", "true");
  await expect.element(button("Go")).toHaveFocus();
  expect(onPress).toHaveBeenCalledOnce();
});
