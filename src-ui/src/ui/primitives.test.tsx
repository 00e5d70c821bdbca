/** Every primitive in both themes: nothing that axe finds, and keys that do what they say. */
import { expect, test } from "vitest";
import { page, userEvent } from "vitest/browser";
import { faults, stage, THEMES } from "../dev/stage";
import { Boundary } from "./Boundary";
import { Card, ListFailed, ListToCome } from "./Card";
import { Field, PasswordField } from "./Field";
import { Icon } from "./Icon";
import type { MenuEntry } from "./popups";

const nothing = () => undefined;

function Gallery() {
  return (
    <main>
      <h1>Harbor</h1>
      {["btn-primary", "", "btn-ghost", "btn-danger"].map((kind) => (
        <p key={kind} className="row">
          <button type="button" className={`btn ${kind}`}>
            Start session
          </button>
          <button type="button" className={`btn ${kind} btn-lg`}>
            Start session
          </button>
          <button type="button" className={`btn ${kind}`} disabled>
            Start session
          </button>
        </p>
      ))}
      <Field label="Name" value="harbor-tides" onChange={nothing} hint="Letters, digits and -" />
      <Field label="Wrong" value="harbor/tides" onChange={nothing} problem="A name has no /" />
      <PasswordField label="Password" value="quiet" onChange={nothing} />
      <div className="segmented">
        <button type="button" aria-pressed="true" className="is-selected">
          Split
        </button>
        <button type="button" aria-pressed="false">
          Unified
        </button>
      </div>
      <input type="checkbox" className="switch-box" aria-label="New accounts may register" />
      <p className="row">
        {["ok", "warn", "danger", "review", "info", "accent", "faint", "muted"].map((tone) => (
          <span key={tone} className="badge">
            <Icon name="check" className={tone} />
            <span>{tone}</span>
          </span>
        ))}
        <span className="kbd">Ctrl</span>
        <span className="count">3</span>
        <span className="avatar">MO</span>
      </p>
      {["warn", "danger", "ok", "info"].map((tone) => (
        <div key={tone} className={`banner ${tone}`}>
          <Icon name="alert" />
          <div>
            <div className="medium">Round 4 arrived</div>
            <div className="small muted">Your drafts are kept.</div>
          </div>
        </div>
      ))}
      <Card id="devices" title="Devices" text="Where this account is signed in.">
        <ListToCome rows={2} label="Loading" />
        <ListFailed error={new Error("The server made a mistake.")} onRetry={nothing} />
      </Card>
      <div className="empty">
        <Icon name="folder-plus" />
        <h2>No workspaces yet</h2>
        <p className="small">A workspace is a folder.</p>
      </div>
      <footer className="statusbar">
        <span className="status-item">
          <Icon name="cloud" className="ok" /> Online
        </span>
      </footer>
    </main>
  );
}

function entries(run: (label: string) => void): (MenuEntry | null)[] {
  const entry = (label: string, more: Partial<MenuEntry> = {}): MenuEntry => ({
    label,
    run: () => run(label),
    ...more,
  });
  return [
    entry("Rename", { keys: "F2", icon: "pencil" }),
    entry("Submit", { disabled: "1 conflict" }),
    null,
    entry("Light theme", { checked: true }),
    entry("Dark theme", { checked: false }),
    null,
    entry("Delete", { danger: true, icon: "trash" }),
  ];
}

function Broken(): never {
  throw new Error("for the test");
}

for (const theme of THEMES) {
  test(`the gallery has no faults in the ${theme} theme`, async () => {
    await stage(<Gallery />, { theme });
    expect(await faults()).toEqual([]);
  });

  test(`menu, dialog and toast have no faults in the ${theme} theme`, async () => {
    const { popups } = await stage(<Gallery />, { theme });
    popups.toast({ text: "notes.md is in the trash", action: { label: "Undo", run: nothing } });
    await expect.element(page.getByText("notes.md is in the trash")).toBeVisible();
    expect(await faults()).toEqual([]);
    popups.menu({ x: 40, y: 40 }, entries(nothing));
    await expect.element(page.getByRole("menuitem", { name: "Rename" })).toBeVisible();
    expect(await faults()).toEqual([]);
    await userEvent.keyboard("{Escape}");
    void popups.confirm({ title: "Delete it?", text: "For good.", yes: "Delete", danger: true });
    await expect.element(page.getByRole("dialog", { name: "Delete it?" })).toBeVisible();
    expect(await faults()).toEqual([]);
  });
}

test("a menu opened by a key has the focus, whatever still moves, and Escape closes it", async () => {
  const choices = [
    { label: "Light theme", checked: false, run: nothing },
    { label: "Dark theme", checked: true, run: nothing },
  ];
  const open = (at: Element) => staged.popups.menu(at, choices);
  const staged = await stage(
    <>
      <button type="button" className="btn" onClick={(event) => open(event.currentTarget)}>
        Themes
      </button>
      <span id="moves" style={{ opacity: 1, transition: "opacity 60s" }} />
    </>,
  );
  const moves = document.getElementById("moves") as HTMLElement;
  await new Promise((resolve) => {
    moves.addEventListener("transitionrun", resolve, { once: true });
    moves.getBoundingClientRect();
    moves.style.opacity = "0";
  });
  (page.getByRole("button", { name: "Themes" }).element() as HTMLElement).focus();
  await userEvent.keyboard("{Enter}");
  await expect.element(page.getByRole("menuitemradio", { name: "Light theme" })).toHaveFocus();
  await userEvent.keyboard("{Escape}");
  await expect.element(page.getByRole("menu")).not.toBeInTheDocument();
  await expect.element(page.getByRole("button", { name: "Themes" })).toHaveFocus();
});

test("a menu is walked by keys, skips what cannot be chosen, and gives the focus back", async () => {
  const { popups } = await stage(<button type="button">Actions</button>);
  const trigger = page.getByRole("button", { name: "Actions" }).element() as HTMLElement;
  trigger.focus();
  const chosen: string[] = [];
  popups.menu(
    trigger,
    entries((label) => chosen.push(`${label}, focus ${document.activeElement?.textContent}`)),
  );
  await expect.element(page.getByRole("menuitem", { name: "Rename" })).toHaveFocus();
  await userEvent.keyboard("{ArrowDown}");
  await expect
    .element(page.getByRole("menuitemradio", { name: "Light theme" }))
    .toHaveAttribute("aria-checked", "true");
  await userEvent.keyboard("{End}{Enter}");
  await expect.poll(() => chosen).toEqual(["Delete, focus Actions"]);
});

test("a question begins in its field, says what is wrong once something was typed, and takes Enter", async () => {
  const { popups } = await stage(<p>Below</p>);
  const answer = popups.ask({
    title: "Delete sediment-model?",
    label: "Type sediment-model to confirm",
    value: "",
    yes: "Delete workspace",
    danger: true,
    problem: (value) => (value === "sediment-model" ? null : "This is not sediment-model."),
  });
  const field = page.getByRole("textbox");
  const yes = page.getByRole("button", { name: "Delete workspace" });
  await expect.element(field).toHaveFocus();
  await expect.element(yes).toBeDisabled();
  await expect.element(page.getByText("This is not sediment-model.")).not.toBeInTheDocument();
  await userEvent.keyboard("sediment");
  await expect.element(field).toHaveAccessibleDescription("This is not sediment-model.");
  await userEvent.keyboard("-model{Enter}");
  expect(await answer).toBe("sediment-model");
});

test("Escape thinks better of a question", async () => {
  const { popups } = await stage(<p>Below</p>);
  const answer = popups.confirm({ title: "Stop it?", text: "It runs.", yes: "Stop" });
  await expect.element(page.getByRole("button", { name: "Stop" })).toHaveFocus();
  await userEvent.keyboard("{Escape}");
  expect(await answer).toBe(false);
});

test("a problem is read with its field", async () => {
  await stage(
    <Field label="Name" value="a/b" onChange={nothing} problem="A name has no /" hint="Short" />,
  );
  await expect
    .element(page.getByLabelText("Name"))
    .toHaveAccessibleDescription("A name has no / Short");
});

test("a part that breaks says so and can be loaded again", async () => {
  const { host } = await stage(
    <Boundary>
      <Broken />
    </Boundary>,
  );
  await page.getByRole("button", { name: "Load again" }).click();
  expect(host.given).toEqual(["reloaded"]);
});

test("a question that is sent stands until the answer, and says a refusal at its field with the text kept", async () => {
  const { popups } = await stage(<p>Below</p>);
  const sent: string[] = [];
  let answer: (refusal: object | null) => void = nothing;
  const asked = popups.ask({
    title: "Rename harbor",
    label: "Name",
    value: "",
    yes: "Rename",
    send: (value) => {
      sent.push(value);
      return new Promise<void>((done, fail) => {
        answer = (refusal) => (refusal ? fail(refusal) : done());
      });
    },
  });
  const field = page.getByRole("textbox", { name: "Name" });
  const yes = page.getByRole("button", { name: "Rename" });
  await userEvent.keyboard("tides");
  await yes.click();
  await expect.element(yes).toHaveAttribute("aria-disabled", "true");
  await userEvent.keyboard("{Enter}");
  const taken = "You have a workspace of this name.";
  answer({
    code: "workspace_name_taken",
    detail: "Refused.",
    status: 409,
    fields: { name: taken },
  });
  await expect.element(page.getByRole("alert")).toHaveTextContent(taken);
  await expect.element(field).toHaveFocus();
  await expect.element(field).toHaveValue("tides");
  await expect.element(field).toHaveAccessibleDescription(taken);
  expect(await faults()).toEqual([]);
  await field.fill("tides two");
  await expect.element(page.getByRole("alert")).not.toBeInTheDocument();
  await userEvent.keyboard("{Enter}");
  await expect.poll(() => sent).toEqual(["tides", "tides two"]);
  answer(null);
  expect(await asked).toBe("tides two");
  await expect.element(page.getByRole("dialog")).not.toBeInTheDocument();
});

test("whoever leaves a question that was sent waits for nothing any more", async () => {
  const { popups } = await stage(<p>Below</p>);
  let wish: AbortSignal | null = null;
  const asked = popups.ask({
    title: "Duplicate harbor",
    label: "Name",
    value: "harbor copy",
    yes: "Duplicate",
    send: (_, signal) => {
      wish = signal;
      return new Promise(nothing);
    },
  });
  await userEvent.keyboard("{Enter}");
  await expect.poll(() => wish?.aborted).toBe(false);
  await userEvent.keyboard("{Escape}");
  expect(await asked).toBeNull();
  await expect.poll(() => wish?.aborted).toBe(true);
});

test("what failed because the server was away is over when it is back", async () => {
  const { popups } = await stage(<p>Below</p>);
  popups.failed({ code: "network", detail: "The server does not answer.", status: 0 });
  popups.failed({ code: "forbidden", detail: "It is not yours.", status: 403 }, "Not archived.");
  await expect.element(page.getByText("The server does not answer.")).toBeVisible();
  popups.back();
  await expect.element(page.getByText("The server does not answer.")).not.toBeInTheDocument();
  await expect.element(page.getByText("Not archived. It is not yours.")).toBeVisible();
});

test("a list that failed says whether the server or only its database is away", async () => {
  const error = Object.assign(new Error("away"), { code: "database_unavailable", status: 503 });
  await stage(<ListFailed error={error} onRetry={nothing} />);
  await expect.element(page.getByText("The server has no database")).toBeVisible();
});
