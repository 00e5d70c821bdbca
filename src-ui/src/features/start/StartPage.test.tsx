/** The first page of the desktop program: three ways in, on every day, and none of them needs a mouse. */
import { expect, test } from "vitest";
import { page, userEvent } from "vitest/browser";
import { faults, stage, THEMES } from "../../dev/stage";
import type { FakeState } from "../../host/fake";
import { StartPage } from "./StartPage";

const frame = (
  <div className="page">
    <StartPage />
  </div>
);
const SHOWS: [FakeState, string][] = [
  ["full", "Signed in as Mo Kersaint"],
  ["empty", "Later is fine, too."],
  ["signed-out", "Sign in to sync"],
  ["offline", "Only on this computer"],
  ["error", "could not be listed"],
];

for (const theme of THEMES)
  for (const [state, words] of SHOWS)
    test(`${state} in the ${theme} theme: says so and has no faults`, async () => {
      await stage(frame, { state, theme, desktop: true });
      await expect.element(page.getByText(words).first()).toBeVisible();
      expect(await faults()).toEqual([]);
    });

test("while the list is on its way nothing stands where it would move away under a click", async () => {
  await stage(frame, { state: "loading", desktop: true });
  const status = page.getByRole("status", { name: "Reading the workspaces of this computer" });
  await expect.element(status).toBeVisible();
  expect(page.getByRole("button").elements()).toEqual([]);
  expect(await faults()).toEqual([]);
});

test("a folder is opened by key, and becomes the page", async () => {
  await stage(frame, { state: "empty", desktop: true });
  await expect.element(page.getByRole("button", { name: "Open folder" })).toBeVisible();
  await userEvent.keyboard("{Control>}o{/Control}");
  await expect.poll(() => location.pathname).toMatch(/^\/w\/018f1/);
  history.back();
});

test("a new workspace asks for a name that every computer takes", async () => {
  const { host } = await stage(frame, { state: "empty", desktop: true });
  await page.getByRole("radio", { name: /Node/ }).click();
  await page.getByRole("button", { name: "Create workspace" }).click();
  const name = page.getByLabelText("Name");
  await expect.element(name).toHaveValue("node");
  await name.fill("a/b");
  await expect.element(page.getByText(/has no slash/)).toBeVisible();
  await name.fill("tides");
  await page.getByRole("button", { name: "Create", exact: true }).click();
  await expect.poll(() => host.program?.workspaces.map((one) => one.name)).toContain("tides");
  history.back();
});

test("a server that does not answer is said at its field, and what was typed stays", async () => {
  await stage(frame, { state: "empty", desktop: true });
  const address = page.getByLabelText("Server address");
  await address.fill("nowhere.example.org");
  await page.getByRole("button", { name: "Continue" }).click();
  await expect.element(page.getByText("Nothing answers at this address.")).toBeVisible();
  await expect.element(address).toHaveValue("nowhere.example.org");
});
