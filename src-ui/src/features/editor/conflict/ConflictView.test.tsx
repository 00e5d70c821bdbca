/** The merge view: all of it by keys and buttons, in both themes, and a choice where no text can be made. */
import { expect, onTestFinished, test } from "vitest";
import { page, userEvent } from "vitest/browser";
import { cleanup } from "vitest-browser-react";
import { chordOf } from "../../../bench/actions";
import { type BenchScene, benchScene } from "../../../dev/benchStage";
import { faults, stage, THEMES } from "../../../dev/stage";
import { conflictActions } from "./actions";
import { ConflictView } from "./ConflictView";
import { Resolvers } from "./resolvers";

async function opened(copy: string, theme: "dark" | "light" = "dark") {
  return shown(await benchScene("full"), copy, theme);
}

async function shown(scene: BenchScene, copy: string, theme: "dark" | "light" = "dark") {
  const resolvers = new Resolvers(scene.live, scene.here, scene.host);
  const resolver = resolvers.of(copy);
  if (!resolver) throw new Error(`there is no ${copy}`);
  const actions = () => conflictActions(resolver);
  // As the frame does it.
  const heard = (event: KeyboardEvent) => {
    const chord = chordOf(event);
    actions()
      .find((one) => one.unavailable === null && one.keys.includes(chord))
      ?.run();
  };
  addEventListener("keydown", heard);
  /** As when the workspace closes. */
  const leave = async () => {
    removeEventListener("keydown", heard);
    await cleanup();
    resolvers.dispose();
  };
  onTestFinished(leave);
  const main = (
    <main className="main" style={{ height: 780 }}>
      {scene.around(<ConflictView resolver={resolver} actions={actions} />)}
    </main>
  );
  await stage(main, { theme, desktop: true });
  return { ...scene, resolver, leave };
}

for (const theme of THEMES) {
  test(`a merge in the ${theme} theme has no faults`, async () => {
    await opened("stations (conflict of quay).py", theme);
    await expect.element(page.getByText("Change 1 of 2")).toBeVisible();
    expect(await faults()).toEqual([]);
  });

  test(`a choice of two in the ${theme} theme has no faults`, async () => {
    await opened("notes (conflict of quay).md", theme);
    await expect.element(page.getByText("It was deleted on the server")).toBeVisible();
    expect(await faults()).toEqual([]);
  });
}

test("keys alone decide and resolve, and the last decision allows it", async () => {
  const { here, host, resolver } = await opened("stations (conflict of quay).py");
  const resolve = page.getByRole("button", { name: "Mark resolved" });
  await expect.element(resolve).toHaveAttribute("aria-disabled", "true");
  await userEvent.keyboard("{Alt>}3{/Alt}");
  await expect.element(page.getByText("Change 2 of 2")).toBeVisible();
  await expect.element(page.getByRole("button", { name: "Yours 6.95" })).toBeVisible();
  await userEvent.keyboard("{Alt>}2{/Alt}");
  await expect.element(page.getByText("all decided")).toBeVisible();
  await expect.element(resolve).toHaveAttribute("aria-disabled", "false");
  await userEvent.keyboard("{Control>}{Enter}{/Control}");
  await expect.poll(() => here.state.conflicts).not.toContainEqual(resolver.conflict);
  const text = await host.server.files.read("stations.py").text();
  expect(text).toContain("6.97");
  expect(text).toContain("chart_datum");
});

test("the base is shown on wish, and F7 goes from change to change", async () => {
  await opened("stations (conflict of quay).py");
  await expect.element(page.getByText("what both began with")).toBeVisible();
  await page.getByRole("switch", { name: "Base" }).click();
  await expect.element(page.getByText("what both began with")).not.toBeInTheDocument();
  await userEvent.keyboard("{F7}");
  await expect.element(page.getByText("Change 2 of 2")).toBeVisible();
  await userEvent.keyboard("{F7}");
  await expect.element(page.getByText("Change 1 of 2")).toBeVisible();
});

test("a choice that is pressed once more is taken back", async () => {
  const { resolver } = await opened("stations (conflict of quay).py");
  const both = page.getByRole("button", { name: "Both", exact: true });
  await both.click();
  await expect.element(page.getByText("1 left to decide")).toBeVisible();
  await userEvent.keyboard("{F7}");
  await expect.element(both).toHaveAttribute("aria-pressed", "true");
  await both.click();
  await expect.element(page.getByText("2 left to decide")).toBeVisible();
  expect(resolver.state.current).toBe(0);
});

test("a folder here and a file there are called so, and what deletes the folder says it", async () => {
  const scene = await benchScene("full");
  const { conflicts } = scene.here.state;
  scene.here.store.setState({ conflicts: conflicts.map((one) => ({ ...one, mine: "folder" })) });
  await shown(scene, "figures/range-2026 (conflict of quay).png");
  await expect.element(page.getByText("A folder, with what is in it")).toBeVisible();
  await expect.element(page.getByRole("button", { name: "Keep yours" })).not.toBeInTheDocument();
  await expect.element(page.getByRole("button", { name: "Keep both files" })).toBeVisible();
  const deletes = page.getByRole("button", { name: "Keep theirs, delete the folder here" });
  await expect.element(deletes).toBeVisible();
});

test("what the colour of a change says is said in words, and which one is looked at", async () => {
  await opened("stations (conflict of quay).py");
  const open = page.getByRole("row", { name: /^open / });
  await expect.element(open.first()).toBeInTheDocument();
  await expect.element(open.first()).toHaveAttribute("aria-current", "true");
  await userEvent.keyboard("{Alt>}1{/Alt}");
  await expect.element(page.getByRole("row", { name: /^decided / })).toBeInTheDocument();
});

test("of two that cannot be merged one is kept", async () => {
  const { here, resolver } = await opened("figures/range-2026 (conflict of quay).png");
  await page.getByRole("button", { name: "Keep theirs" }).click();
  await expect.poll(() => here.state.conflicts).not.toContainEqual(resolver.conflict);
});

test("what was decided and typed is brought back when the workspace is opened again", async () => {
  const copy = "stations (conflict of quay).py";
  const { resolver, leave, ...scene } = await opened(copy);
  const result = page.getByRole("textbox", { name: "stations.py, result" });
  await expect.element(page.getByText("Change 1 of 2")).toBeVisible();
  await userEvent.keyboard("{Alt>}2{/Alt}");
  await expect.element(page.getByText("Change 2 of 2")).toBeVisible();
  // Monaco takes its time on a busy machine.
  await expect.element(result, { timeout: 10_000 }).toBeInTheDocument();
  (result.element() as HTMLElement).focus();
  await userEvent.keyboard("{Control>}{Home}{/Control}# seen by Mo{Enter}");
  await expect.element(page.getByText("a draft until it is saved")).toBeVisible();
  await expect.poll(() => resolver.result?.text()).toMatch(/^# seen by Mo\n/);
  const text = resolver.result?.text();
  await leave();

  const again = await shown(scene, copy);
  await expect.element(page.getByText("brought back as you left it")).toBeVisible();
  expect(again.resolver.left).toBe(1);
  expect(again.resolver.result?.text()).toBe(text);
  await userEvent.keyboard("{Control>}s{/Control}");
  await expect.poll(() => scene.host.server.files.read("stations.py").text()).toBe(text);
  await expect.element(page.getByText("edit freely", { exact: true })).toBeVisible();
});
