/** The side bar of sync: everything that can be is said, and each thing has the act that helps. */
import { expect, test } from "vitest";
import { page } from "vitest/browser";
import { benchScene } from "../../dev/benchStage";
import { faults, stage, THEMES } from "../../dev/stage";
import type { FakeState } from "../../host/fake";
import { SyncView } from "./SyncView";

const SHOWS: [FakeState, string][] = [
  ["full", "47 of 60 files were deleted"],
  ["offline", "Try now"],
  ["signed-out", "Cannot sync"],
];

async function opened(state: FakeState, theme: "dark" | "light" = "dark") {
  const scene = await benchScene(state);
  const side = (
    <div style={{ display: "flex" }}>
      <aside className="side" aria-label="Sync" style={{ width: 280, height: 780 }}>
        {scene.around(<SyncView here={scene.here} />)}
      </aside>
      <main />
    </div>
  );
  await stage(side, { theme, state, desktop: true });
  return scene;
}

for (const theme of THEMES)
  for (const [state, words] of SHOWS)
    test(`${state} in the ${theme} theme: says so and has no faults`, async () => {
      await opened(state, theme);
      await expect.element(page.getByText(words).first()).toBeVisible();
      expect(await faults()).toEqual([]);
    });

test("deletions that were held are brought back", async () => {
  const { here } = await opened("full");
  await page.getByRole("button", { name: "Bring them back" }).click();
  await expect.element(page.getByText("47 of 60 files were deleted")).not.toBeInTheDocument();
  expect(here.state.sync?.held).toBeUndefined();
});

test("a conflict opens, and a path that cannot move has the act that helps", async () => {
  const { asked } = await opened("full");
  await page.getByRole("button", { name: /stations.py/ }).click();
  await page.getByRole("button", { name: "Rename it" }).click();
  expect(asked).toEqual(["conflict stations (conflict of quay).py", "help Data/readme.md rename"]);
});

test("what came in is taken back", async () => {
  const { asked } = await opened("full");
  await page
    .getByRole("button", { name: /Undo what came in/ })
    .first()
    .click();
  await expect.poll(() => asked).toEqual(["toast 2 files are as before."]);
});

test("what moves shows how far it has come", async () => {
  await opened("full");
  await expect.element(page.getByRole("progressbar", { name: "data/brest.csv" })).toBeVisible();
  await expect.element(page.getByText("1.2 MB of 2.0 MB")).toBeVisible();
});
