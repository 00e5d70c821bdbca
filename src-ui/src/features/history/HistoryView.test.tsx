/** The history of a file: its versions by day, one against the present, and the way back. */
import { expect, test } from "vitest";
import { page, userEvent } from "vitest/browser";
import { benchScene } from "../../dev/benchStage";
import { faults, stage, THEMES } from "../../dev/stage";
import type { FakeState } from "../../host/fake";
import type { FakeFiles } from "../../host/fakeFiles";
import { shownHistoryActions } from "./actions";
import { HistoryList } from "./HistoryList";
import { HistoryView } from "./HistoryView";
import { FileHistory } from "./model";

async function opened(
  state: FakeState = "full",
  theme: "dark" | "light" = "dark",
  path = "main.py",
  before: (files: FakeFiles) => void = () => {},
  at = 0,
) {
  const scene = await benchScene(state, [], at);
  const undo: (() => void)[] = [];
  scene.bench.toast = ({ text, action }) => {
    scene.asked.push(`toast ${text}`);
    if (action) undo.push(action.run);
  };
  before(scene.host.server.files);
  const history = new FileHistory(scene.live, path, scene.here);
  const actions = () => shownHistoryActions(scene.bench, history);
  const both = scene.around(
    <div style={{ display: "flex", height: 700 }}>
      <aside className="side" aria-label="History" style={{ width: 260 }}>
        <HistoryList history={history} />
      </aside>
      <main className="main" style={{ flex: 1 }}>
        <HistoryView
          history={history}
          actions={actions}
          difference={(before, after) => <pre>{`${before.length} ${after.length}`}</pre>}
        />
      </main>
    </div>,
  );
  await stage(both, { state, theme, desktop: true });
  return { ...scene, history, undo };
}

/** The third of the fake's computer. */
const ONLY_HERE = 2;

const restore = () => page.getByRole("button", { name: /^Restore/ });

for (const theme of THEMES) {
  test(`versions in the ${theme} theme have no faults`, async () => {
    await opened("full", theme);
    await expect.element(page.getByRole("button", { name: /Written in a session/ })).toBeVisible();
    expect(await faults()).toEqual([]);
  });

  test(`without the server, in the ${theme} theme: says so and has no faults`, async () => {
    await opened("offline", theme);
    await expect.element(page.getByText("Its versions come when it is back.")).toBeVisible();
    await expect.element(page.getByRole("button", { name: /on this computer/ })).toBeVisible();
    expect(await faults()).toEqual([]);
  });

  test(`without the server and any version, in the ${theme} theme: says when they come`, async () => {
    await opened("offline", theme, "README.md");
    await expect.element(page.getByText("Versions begin with the next save here.")).toBeVisible();
    expect(await faults()).toEqual([]);
  });
}

test("arrow keys walk the versions, and one that is not kept says so", async () => {
  const { history } = await opened();
  const rows = page.getByRole("button", { name: /revision/ });
  await expect.element(rows.first()).toBeVisible();
  (rows.first().element() as HTMLElement).focus();
  await userEvent.keyboard("{ArrowDown}{ArrowDown}{ArrowDown}{ArrowDown}{Enter}");
  expect(history.version?.revision).toBe(21);
  await expect.element(page.getByText("This version is no longer kept")).toBeVisible();
  await expect.element(restore()).toHaveAttribute("aria-disabled", "true");
});

test("a version is restored, as one more", async () => {
  const { host, asked } = await opened();
  const before = host.server.files.head;
  await restore().click();
  await expect.poll(() => asked.join()).toContain("main.py is as it was at");
  expect(host.server.files.head).toBeGreaterThan(before);
});

test("what was restored is the present one, and cannot be restored again", async () => {
  await opened();
  await page.getByRole("button", { name: /revision 38/ }).click();
  await restore().click();
  await expect.element(page.getByText("The file is the same now")).toBeVisible();
  await expect.element(restore()).toHaveAttribute("aria-disabled", "true");
  await expect
    .element(restore())
    .toHaveAttribute("title", expect.stringContaining("is the present one"));
  // The one that was the present is none any more.
  await page.getByRole("button", { name: /revision 41/ }).click();
  await expect.element(restore()).toHaveAttribute("aria-disabled", "false");
});

test("without the server a save is restored, and taken back", async () => {
  const { host, undo } = await opened("offline", "dark", "main.py", (files) => {
    files.write("main.py", "print()\n", "*");
  });
  const { files } = host.server;
  const rows = page.getByRole("button", { name: /on this computer/ });
  await expect.poll(() => rows.elements().length).toBe(2);
  await restore().click();
  await expect.poll(() => files.read("main.py").text()).toContain("describe");
  await expect.poll(() => undo.length).toBe(1);
  undo[0]?.();
  await expect.poll(() => files.read("main.py").text()).toBe("print()\n");
});

test("in a workspace that is only here versions begin with a save, and one of them is restored", async () => {
  const { host, history, live } = await opened("full", "dark", "README.md", () => {}, ONLY_HERE);
  await expect.element(page.getByText("They begin with the next save.")).toBeVisible();
  expect(await faults()).toEqual([]);
  for (const text of ["one\n", "two\n"]) {
    const { entry, revision } = await live.calls.write(
      "README.md",
      new TextEncoder().encode(text),
      "any",
    );
    if (entry) live.wrote("README.md", entry, revision);
  }
  await expect
    .element(page.getByRole("button", { name: /on this computer/ }).first())
    .toBeVisible();
  await page
    .getByRole("button", { name: /on this computer/ })
    .last()
    .click();
  expect(history.version?.here).toBe(true);
  expect(await faults()).toEqual([]);
  await restore().click();
  await expect.poll(() => host.server.files.read("README.md").text()).toBe("one\n");
});

test("what a file was called says so, and its text comes back under its name of today", async () => {
  const { host } = await opened("full", "dark", "tides.py", (files) => {
    files.commit([{ path: "tides.py", from: "main.py", executable: false }]);
    files.write("tides.py", "print()\n", "*");
  });
  await expect.element(page.getByRole("button", { name: /Moved from main.py/ })).toBeVisible();
  await page.getByRole("button", { name: /revision 41, was main.py/ }).click();
  await expect.element(page.getByRole("main").getByText("was main.py")).toBeVisible();
  expect(await faults()).toEqual([]);
  await restore().click();
  const { files } = host.server;
  await expect.poll(() => files.read("tides.py").text()).toContain("tide range");
  expect(files.tree().entries.map(({ path }) => path)).not.toContain("main.py");
});
