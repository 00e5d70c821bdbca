/** The list of workspaces on the fake host: its states, and the ways through it. */
import { expect, test } from "vitest";
import { page, userEvent } from "vitest/browser";
import { faults, stage, THEMES } from "../../dev/stage";
import type { FakeState } from "../../host/fake";
import { WorkspacesPage } from "./WorkspacesPage";

const frame = (
  <div className="page">
    <WorkspacesPage />
  </div>
);
const SHOWS: [FakeState, string][] = [
  ["full", "harbor-tides"],
  ["empty", "No workspaces yet"],
  ["error", "The workspaces could not be listed"],
  ["offline", "The server does not answer"],
];

for (const theme of THEMES)
  for (const [state, words] of SHOWS)
    test(`${state} in the ${theme} theme: says so and has no faults`, async () => {
      await stage(frame, { state, theme });
      await expect.element(page.getByText(words)).toBeVisible();
      expect(await faults()).toEqual([]);
    });

test("shelves count what stands on them, over all pages", async () => {
  await stage(frame);
  await expect.element(page.getByRole("button", { name: "All 7" })).toBeVisible();
  await expect.element(page.getByRole("button", { name: "With a session 3" })).toBeVisible();
  await page.getByRole("button", { name: "Trash 1" }).click();
  await expect.element(page.getByText("3 days ago, goes in 27 days")).toBeVisible();
});

test("arrow keys walk the rows, F2 renames, and the list follows", async () => {
  await stage(frame);
  const first = page.getByRole("link", { name: "harbor-tides" });
  await expect.element(first).toBeVisible();
  (first.element() as HTMLElement).focus();
  await userEvent.keyboard("{ArrowDown}");
  await expect.element(page.getByRole("link", { name: "fleet-dashboard" })).toHaveFocus();
  await userEvent.keyboard("{F2}");
  await expect.element(page.getByRole("textbox", { name: "Name" })).toHaveFocus();
  await userEvent.keyboard("fleet{Enter}");
  await expect.element(page.getByRole("link", { name: "fleet", exact: true })).toBeVisible();
});

test("deleting asks for the name, and the trash gives back", async () => {
  await stage(frame);
  await page.getByRole("button", { name: "Actions for buoy-log" }).click();
  await page.getByRole("menuitem", { name: "Delete" }).click();
  const yes = page.getByRole("button", { name: "Delete workspace" });
  await expect.element(yes).toBeDisabled();
  await userEvent.keyboard("buoy-log");
  await yes.click();
  await expect.element(page.getByRole("link", { name: "buoy-log" })).not.toBeInTheDocument();
  await page.getByRole("button", { name: "Undo" }).click();
  await expect.element(page.getByRole("link", { name: "buoy-log" })).toBeVisible();
});

test("an import names itself after its file and comes into the list", async () => {
  await stage(frame);
  await page.getByRole("button", { name: "Import", exact: true }).click();
  await expect.element(page.getByRole("textbox", { name: "Name" })).toHaveValue("tide-notes");
  await page.getByRole("dialog").getByRole("button", { name: "Import" }).click();
  await expect.element(page.getByRole("link", { name: "tide-notes" })).toBeVisible();
});

test("what is asked for is found, and the order is chosen", async () => {
  await stage(frame);
  await expect.element(page.getByText("7 workspaces")).toBeVisible();
  await userEvent.keyboard("/");
  await userEvent.keyboard("tide");
  await expect.element(page.getByText("1 of 7")).toBeVisible();
  await userEvent.keyboard("{Escape}");
  await page.getByRole("button", { name: "Order: Last edit" }).click();
  await page.getByRole("menuitemradio", { name: "Name" }).click();
  await expect.poll(() => document.querySelector(".ws-open")?.textContent).toBe("berth-planner");
});

test("a workspace that could not be made is asked for again, with its name and the reason", async () => {
  await stage(frame, { state: "offline" });
  await page.getByRole("button", { name: "New workspace" }).click();
  await page.getByRole("menuitem", { name: "Empty" }).click();
  const field = page.getByRole("textbox", { name: "Name" });
  await field.fill("moon tides");
  await userEvent.keyboard("{Enter}");
  const alert = page.getByRole("dialog").getByRole("alert");
  await expect.element(alert).toHaveTextContent("The server does not answer. Nothing was done.");
  await expect.element(field).toHaveValue("moon tides");
  await expect.element(field).toHaveFocus();
});

test("without a list the workspaces whose edits wait here can be opened", async () => {
  const draft = { base: "", baseText: "", text: "x", doubts: [], at: 1 };
  await stage(frame, {
    state: "offline",
    before: async ({ drafts, kept }) => {
      kept.set("slipway.name.w1", "harbor-tides");
      for (const [path, tab] of [
        ["a.py", "one"],
        ["a.py", "two"],
        ["b.py", "one"],
      ] as const)
        await drafts.put({ ...draft, workspace: "w1", path, tab });
    },
  });
  const link = page.getByRole("link", { name: "harbor-tides" });
  await expect.element(link).toHaveAttribute("href", "/w/w1");
  await expect.element(page.getByText("2 files with edits")).toBeVisible();
  expect(await faults()).toEqual([]);
});

test("an export says what is not in it", async () => {
  const { host } = await stage(frame);
  await page.getByRole("button", { name: "Actions for buoy-log" }).click();
  await page.getByRole("menuitem", { name: "Export as zip" }).click();
  await expect.element(page.getByText("such as .git and node_modules, is not in it")).toBeVisible();
  expect(host.given).toHaveLength(1);
});
