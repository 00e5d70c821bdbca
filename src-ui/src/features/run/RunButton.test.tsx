/** The Run button keeps the focus of who pressed it, and what is said beside a program that runs. */
import { expect, test, vi } from "vitest";
import { page } from "vitest/browser";
import { createStore } from "zustand/vanilla";
import { type Bench, BenchContext } from "../../bench/bench";
import { stage } from "../../dev/stage";
import type { Run } from "../../host/generated/api/Run";
import { runActions } from "./actions";
import { RunButton } from "./RunButton";
import { RunPanel } from "./RunPanel";

const run = (part: Partial<Run>) =>
  ({
    id: "r1",
    state: "running",
    target: { kind: "file", path: "ask.py" },
    command: "python3 ask.py",
    revision: 3,
    created_at: "2026-01-01T00:00:00Z",
    ...part,
  }) as Run;

function bench(runs: Run[]) {
  const store = createStore(() => ({
    runs,
    runsTold: true,
    olderRuns: null,
    treeVersion: 0,
    connection: { state: "online" } as object,
  }));
  const enterRun = vi.fn();
  const made = {
    live: {
      store,
      connection: { status: { state: "online" } },
      entries: new Map(),
      get state() {
        return store.getState();
      },
    },
    editor: createStore(() => ({ active: "ask.py" })),
    actions: () => runActions(made),
    startRun: vi.fn(),
    toast: vi.fn(),
    startOf: () => null,
    enterRun,
  } as unknown as Bench;
  return { made, store, enterRun };
}

test("the button that starts a run is the one that stops it", async () => {
  const { made, store } = bench([]);
  await stage(
    <BenchContext value={made}>
      <RunButton />
    </BenchContext>,
  );
  const start = page.getByRole("button", { name: "Run ask.py" });
  await start.click();
  const pressed = document.activeElement;
  expect(pressed?.textContent).toBe("Run ask.py");
  store.setState({ runs: [run({})] });
  await expect.element(page.getByRole("button", { name: "Stop ask.py" })).toHaveFocus();
  expect(document.activeElement).toBe(pressed);
});

/** A workspace that is only on this computer, beside a server that stands so. */
async function onlyHere(status: Bench["live"]["connection"]["status"]) {
  const { made, store } = bench([]);
  Object.assign(made.live, { connection: { status } });
  store.setState({ connection: { state: "local" } });
  await stage(
    <BenchContext value={made}>
      <RunButton />
    </BenchContext>,
  );
  return made;
}

for (const [server, hint, name] of [
  ["online", "Upload this workspace to run this file… (Ctrl+F5)", "sent there"],
  ["signed-out", "Sign in to a server to run this file… (Ctrl+F5)", "asked to sign in"],
] as const)
  test(`only on this computer, and ${server}: Run says what it takes, and who presses it is ${name}`, async () => {
    const made = await onlyHere({ state: server });
    const run = page.getByRole("button", { name: "Run ask.py" });
    await expect.element(run).toBeEnabled();
    await expect.element(run).toHaveAttribute("title", hint);
    await run.click();
    expect(made.startRun).toHaveBeenCalledWith({ kind: "file", path: "ask.py" });
  });

test("what keeps Run from running is said to who rests on it, and to who presses it", async () => {
  const made = await onlyHere({ state: "waiting", attempt: 2, nextAt: 1 });
  const run = page.getByRole("button", { name: "Run ask.py" });
  await expect
    .element(run)
    .toHaveAttribute("title", expect.stringMatching(/: The server does not answer$/));
  const button = run.element() as HTMLElement;
  button.focus();
  expect(document.activeElement).toBe(button);
  button.click();
  expect(made.startRun).not.toHaveBeenCalled();
  const [[said]] = vi.mocked(made.toast).mock.calls as [[{ text: string }]];
  expect(said.text).toContain("The server does not answer");
});

test("that a program takes typing is said while it runs, and leads there", async () => {
  const { made, store, enterRun } = bench([run({})]);
  await stage(
    <BenchContext value={made}>
      <RunPanel
        chosen={null}
        onChoose={() => undefined}
        output={() => <div>Who?</div>}
        text={async () => ""}
        curve={() => null}
      />
    </BenchContext>,
  );
  await page.getByRole("button", { name: "Click here, or press Alt+I, to type" }).click();
  expect(enterRun).toHaveBeenCalledWith("r1");
  store.setState({ runs: [run({ state: "done", exit: { code: 0 } })] });
  await expect.element(page.getByText("to type")).not.toBeInTheDocument();
});

for (const [state, waits, words] of [
  ["online", false, "Nothing ran yet"],
  ["waiting", true, "its runs are not known here"],
  ["local", false, "This workspace is only on this computer"],
] as const)
  test(`without a run to show, and ${state}, it says why`, async () => {
    const { made, store } = bench([]);
    Object.assign(made.live, { waits });
    store.setState({ connection: { state, attempt: 2, nextAt: 1 }, runsTold: state === "online" });
    await stage(
      <BenchContext value={made}>
        <RunPanel
          chosen={null}
          onChoose={() => undefined}
          output={() => null}
          text={async () => ""}
          curve={() => null}
        />
      </BenchContext>,
    );
    await expect.element(page.getByText(words)).toBeVisible();
  });
