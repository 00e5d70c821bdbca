/** The side bar of sync: everything that can be is said, and each thing has the act that helps. */
import { expect, test } from "vitest";
import { page } from "vitest/browser";
import { action, find } from "../../bench/actions";
import { type BenchScene, benchScene } from "../../dev/benchStage";
import { faults, stage, THEMES } from "../../dev/stage";
import type { FakeState } from "../../host/fake";
import type { LocalWorkspace } from "../../host/generated/api/LocalWorkspace";
import type { Sync } from "../../host/generated/api/Sync";
import { syncActions } from "./actions";
import { SyncView } from "./SyncView";

const SHOWS: [FakeState, string][] = [
  ["full", "47 of 60 files and folders were deleted"],
  ["offline", "Try now"],
  ["signed-out", "Cannot sync"],
  ["error", "How it stands could not be read"],
];

/** What others offer. */
const OFFERED = [
  "sync.retry",
  "sync.upload",
  "sync.folder",
  "sync.again",
  "app.signIn",
  "app.workspaces",
  "app.open",
];

async function opened(state: FakeState, theme: "dark" | "light" = "dark") {
  const done: string[] = [];
  const actions = OFFERED.map((id) => action(id, id, "refresh", () => done.push(id)));
  const scene = await benchScene(state, actions);
  const side = (
    <div style={{ display: "flex" }}>
      <aside className="side" aria-label="Sync" style={{ width: 280, height: 780 }}>
        {scene.around(<SyncView here={scene.here} />)}
      </aside>
      <main />
    </div>
  );
  await stage(side, { theme, state, desktop: true });
  return { ...scene, done };
}

for (const theme of THEMES)
  for (const [state, words] of SHOWS)
    test(`${state} in the ${theme} theme: says so and has no faults`, async () => {
      await opened(state, theme);
      await expect.element(page.getByText(words).first()).toBeVisible();
      expect(await faults()).toEqual([]);
    });

test("deletions that were held are brought back", async () => {
  const { here, asked } = await opened("full");
  await page.getByRole("button", { name: "Bring them back" }).click();
  await expect
    .element(page.getByText("47 of 60 files and folders were deleted"))
    .not.toBeInTheDocument();
  expect(here.state.sync?.held).toBeUndefined();
  await expect.poll(() => asked).toEqual(["toast 47 files and folders came back."]);
});

test("a conflict opens, and a path that cannot move has the act that helps", async () => {
  const { asked } = await opened("full");
  await page.getByRole("button", { name: /stations.py/ }).click();
  await page.getByRole("button", { name: "Rename it" }).click();
  expect(asked).toEqual([
    "into conflict stations (conflict of quay).py",
    "help Data/readme.md rename",
  ]);
  await page.getByRole("button", { name: "Leave it out" }).click();
  await expect.poll(() => asked.at(-1)).toBe("toast raw.bin stays on this computer alone.");
});

test("what came in is taken back", async () => {
  const { asked } = await opened("full");
  await page
    .getByRole("button", { name: /Undo what came in/ })
    .first()
    .click();
  await expect.poll(() => asked).toEqual(["toast 2 files and folders are as before."]);
  // A second Enter takes back nothing more.
  await expect.element(page.getByRole("heading", { name: "Came in" })).toHaveFocus();
});

test("what moves shows how far it has come", async () => {
  await opened("full");
  await expect.element(page.getByRole("progressbar", { name: "data/brest.csv" })).toBeVisible();
  await expect.element(page.getByText("1.2 MB of 2.0 MB")).toBeVisible();
});

test("a first sync tells how far it has come, in files and bytes", async () => {
  const { here, host } = await opened("full");
  const move = async (down: number, bytes: number) => {
    const sync = here.state.sync as Sync;
    const left = { up: 0, up_bytes: 0, down, down_bytes: bytes, conflicts: 0, blocked: 0 };
    host.program?.syncs.set(here.id, { ...sync, ...left, paths: [] });
    host.program?.tell({ told: "sync", workspace: here.id });
    await expect.poll(() => here.state.sync?.down).toBe(down);
  };
  await move(10_000, 1_000_000_000);
  await move(8_796, 660_000_000);
  await expect.element(page.getByText(/1.204 of 10.000 files/)).toBeVisible();
  const bar = page.getByRole("progressbar", { name: "Sync" });
  // What is over within a second shows no bar.
  await expect.element(bar, { timeout: 5_000 }).toHaveAttribute("aria-valuenow", "34");
  await move(0, 0);
  await expect.element(bar).not.toBeInTheDocument();
});

for (const [code, label, id] of [
  ["sign_in_expired", "Sign in", "app.signIn"],
  ["workspace_inactive", "Look at the server", "app.workspaces"],
  ["protocol_mismatch", "Try again", "sync.retry"],
] as const)
  test(`a refusal (${code}) says why and has the act that helps`, async () => {
    const { here, host, done } = await opened("full");
    const sync = here.state.sync as Sync;
    const refused = { state: "refused" as const, code, reason: "The server does not take it." };
    host.program?.syncs.set(here.id, { ...sync, ...refused, conflicts: 0 });
    await here.pullSync();
    await expect.element(page.getByText("The server does not take it.")).toBeVisible();
    await page.getByRole("button", { name: label, exact: true }).click();
    expect(done).toEqual([id]);
  });

/** The folder of the first workspace is gone. */
async function gone({ here, host }: Pick<BenchScene, "here" | "host">) {
  const { held: _held, ...sync } = here.state.sync as Sync;
  const broken = { state: "broken" as const, code: "folder_gone" as const };
  host.program?.syncs.set(here.id, { ...sync, ...broken });
  await here.pullSync();
}

test("a folder that is gone is opened where it is now, or comes from the server again", async () => {
  const scene = await opened("full");
  await gone(scene);
  await page.getByRole("button", { name: "Open it where it is now" }).click();
  await page.getByRole("button", { name: "Get it again" }).click();
  expect(scene.done).toEqual(["app.open", "sync.again"]);
  expect(await faults()).toEqual([]);
  // Where no server has it there is nothing to be had.
  const { remote: _remote, ...alone } = scene.here.state.workspace as LocalWorkspace;
  scene.here.store.setState({ workspace: alone });
  await expect.element(page.getByRole("button", { name: "Get it again" })).not.toBeInTheDocument();
});

test("a folder that is gone comes again when the person is sure, and only then", async () => {
  const scene = await benchScene("full");
  const { bench, here, asked } = scene;
  const again = () => find(syncActions(bench), "sync.again");
  expect(again().unavailable).toBe("The folder is there");
  await gone(scene);
  let sure = false;
  const questions: string[] = [];
  bench.confirm = async ({ text }) => {
    questions.push(text);
    return sure;
  };
  again().run();
  await expect.poll(() => questions.length).toBe(1);
  expect(questions[0]).toContain("If the folder was only moved, move it back instead");
  expect(here.state.sync?.state).toBe("broken");
  sure = true;
  again().run();
  await expect.poll(() => asked).toEqual(["toast harbor-tides comes from the server again."]);
  expect(here.state.sync?.state).toBe("online");
});

test("a workspace of this computer alone is uploaded to the server that is there", async () => {
  const { bench, live, here, host } = await benchScene("full");
  const { remote: _remote, ...alone } = here.state.workspace as LocalWorkspace;
  here.store.setState({ workspace: alone });
  live.store.setState({ connection: { state: "local" } });
  const why = () => find(syncActions(bench), "sync.upload").unavailable;
  expect(why()).toBeNull();
  host.program?.become("idle");
  expect(why()).toBe("Nobody is signed in to a server");
});

test("names that no server takes are told, with the way to where they can be changed", async () => {
  const { here, host, done } = await opened("full");
  const sync = here.state.sync as Sync;
  host.program?.syncs.set(here.id, { ...sync, odd: ["data/caf\\xe9.csv"] });
  await here.pullSync();
  await expect.element(page.getByText("data/caf\\xe9.csv")).toBeVisible();
  const section = page.getByRole("region", { name: /Names that no server takes/ });
  await section.getByRole("button", { name: "Show the folder" }).click();
  expect(done).toEqual(["sync.folder"]);
  expect(await faults()).toEqual([]);
});
