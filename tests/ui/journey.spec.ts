// The way of a new user, in a real browser, against a real server and a real sandbox.
import AxeBuilder from "@axe-core/playwright";
import { expect, type Page } from "@playwright/test";
import { test } from "./server.ts";

const PASSWORD = "quiet tide at seven bells";

/** Registers the first account and lands on the list of workspaces. */
async function register(page: Page, base: string): Promise<void> {
  await page.goto(base);
  await page.getByLabel("Name").fill("Mo");
  await page.getByLabel("E-mail").fill("mo@example.org");
  await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
  await page.getByRole("button", { name: "Register", exact: true }).click();
  await expect(page.getByRole("heading", { name: "Workspaces" })).toBeVisible();
}

/** Makes a workspace from the Python template and waits for its files. */
async function openPython(page: Page): Promise<void> {
  await page.getByRole("button", { name: /Python data/ }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Create" }).click();
  await expect(page.getByRole("treeitem", { name: /main\.py/ })).toBeVisible();
}

/** Nothing that axe finds on the screen as it is. */
async function accessible(page: Page): Promise<void> {
  // xterm's and Monaco's insides are theirs; what we put around them is ours.
  const found = await new AxeBuilder({ page }).exclude(".xterm").exclude(".monaco-editor").analyze();
  const words = found.violations.map((one) => `${one.id}: ${one.nodes.map((node) => node.html).join(" ")}`);
  expect(words).toEqual([]);
}

test("register, edit, run, and find everything again after a reload", async ({ page, server }) => {
  await page.goto(server.base);
  await expect(page.getByText("becomes its administrator")).toBeVisible();
  await accessible(page);
  await register(page, server.base);
  await accessible(page);
  await page.screenshot({ path: "results/workspaces.png" });

  await openPython(page);
  await page.getByRole("treeitem", { name: /main\.py/ }).dblclick();
  await expect(page.locator(".monaco-editor .view-lines").first()).toContainText("import pandas");
  await page.locator(".monaco-editor .view-lines").first().click();
  await page.keyboard.press("Control+End");
  await page.keyboard.type('\nprint("typed", 40 + 2)\n');
  await page.getByRole("button", { name: /^Run main\.py/ }).click();
  await expect(page.locator(".xterm-rows").first()).toContainText("typed 42", { timeout: 60_000 });
  await page.screenshot({ path: "results/ide.png" });

  await page.reload();
  await page.getByRole("treeitem", { name: /main\.py/ }).dblclick();
  await expect(page.locator(".monaco-editor .view-lines").first()).toContainText("import pandas");
  const saved = await page.request.get(`${server.base}/api/v1/workspaces`);
  const id = (await saved.json()).workspaces[0].id;
  const file = await page.request.get(`${server.base}/api/v1/workspaces/${id}/files/main.py`);
  expect(await file.text()).toContain('print("typed", 40 + 2)');
});

test("a wrong password says so and keeps what was typed", async ({ page, server }) => {
  await register(page, server.base);
  await page.getByRole("button", { name: /Account of Mo/ }).click();
  await page.getByRole("menuitem", { name: "Sign out" }).click();
  await page.getByLabel("E-mail").fill("mo@example.org");
  await page.getByLabel("Password", { exact: true }).fill("not this one");
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await expect(page.getByRole("alert")).toContainText("do not match");
  await expect(page.getByLabel("E-mail")).toHaveValue("mo@example.org");
});
