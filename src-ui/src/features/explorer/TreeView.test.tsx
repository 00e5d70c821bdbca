/** The tree by keys while the server is slow: what is done to a row is done to what it is called by then. */
import { expect, test } from "vitest";
import { page, userEvent } from "vitest/browser";
import { benchScene } from "../../dev/benchStage";
import { stage } from "../../dev/stage";
import type { Commit } from "../../host/generated/api/Commit";
import { Explorer } from "./model";
import { TreeView } from "./TreeView";

test("Delete right after a new name deletes the file under that name", async () => {
  const { around, bench, live, host } = await benchScene();
  const explorer = new Explorer(live, host.kept);
  Object.assign(bench, { moved: () => undefined, removed: () => undefined });
  // The answer to the new name is on its way for as long as the test wishes.
  const commits: Commit[] = [];
  let answer = () => {};
  const arrived = new Promise<void>((resolve) => {
    answer = resolve;
  });
  const commit = live.calls.commit;
  live.calls.commit = async (wish) => {
    commits.push(wish);
    if (commits.length === 1) await arrived;
    return commit(wish);
  };
  await stage(around(<TreeView explorer={explorer} />), { desktop: true });
  explorer.reveal("README.md");
  const tree = page.getByRole("tree");
  await expect.element(page.getByRole("treeitem", { name: "README.md" })).toBeVisible();
  (tree.element() as HTMLElement).focus();
  await userEvent.keyboard("{F2}");
  await page.getByRole("textbox").fill("guide.md");
  await userEvent.keyboard("{Enter}");
  (tree.element() as HTMLElement).focus();
  await userEvent.keyboard("{Delete}");
  answer();
  await expect.poll(() => commits.length).toBe(2);
  expect(commits[1]?.operations.map(({ path }) => path)).toEqual(["guide.md"]);
  await expect.poll(() => live.entries.has("guide.md")).toBe(false);
});
