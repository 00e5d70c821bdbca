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
      entries: new Map(),
      get state() {
        return store.getState();
      },
    },
    editor: createStore(() => ({ active: "ask.py" })),
    actions: () => runActions(made),
    startRun: vi.fn(),
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
