// The way of a new user, in a real browser, against a real server and a real sandbox.
import { expect } from "@playwright/test";
import { test } from "./server.ts";
import { accessible, openPython, PASSWORD, register } from "./steps.ts";

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
  // The open file, read where it was left.
  await expect(page.getByRole("tab", { name: /main\.py/ })).toHaveAttribute("aria-selected", "true");
  await expect(page.locator(".monaco-editor .view-lines").first()).toContainText("typed");
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
