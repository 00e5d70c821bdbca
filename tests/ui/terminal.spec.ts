// Terminals: keys belong to the program, pages come and go, shells end and are replaced.
import { expect } from "@playwright/test";
import { test } from "./server.ts";
import { act, openPython, openTerminal, register, screen } from "./steps.ts";

test("a program keeps its keys", async ({ page, server }) => {
  await register(page, server.base);
  await openPython(page);
  await openTerminal(page);
  await page.keyboard.type("stty -ixon; cat -v\n");
  await expect(screen(page)).toContainText("cat -v");
  for (const chord of ["Alt+n", "Alt+w", "Control+s", "Control+g"]) await page.keyboard.press(chord);
  await page.keyboard.press("Enter");
  await expect(screen(page)).toContainText("^[n^[w^S^G");
  await expect(page.getByRole("textbox", { name: /New file|Name/ })).toHaveCount(0);
});

test("Ctrl+V pastes, the command box does, and the program gets ^V by a key of its own", async ({ page, server }) => {
  await page.context().grantPermissions(["clipboard-read", "clipboard-write"], { origin: server.base });
  await register(page, server.base);
  await openPython(page);
  await openTerminal(page);
  await page.evaluate(() => navigator.clipboard.writeText("echo pasted-$((40+2))"));
  await page.keyboard.press("Control+v");
  await page.keyboard.press("Enter");
  await expect(screen(page)).toContainText("pasted-42");
  await page.keyboard.type("stty -ixon lnext undef; cat -v\n");
  await expect(screen(page)).toContainText("cat -v");
  await page.keyboard.press("Control+Alt+v");
  await page.keyboard.press("Enter");
  await expect(screen(page)).toContainText("^V");
  await page.evaluate(() => navigator.clipboard.writeText("from the command box"));
  await act(page, "Paste into the terminal");
  await expect(screen(page)).toContainText("from the command box");
});

test("everything is there for a page that comes back", async ({ page, server }) => {
  await register(page, server.base);
  await openPython(page);
  await openTerminal(page);
  await page.keyboard.type("for i in $(seq 1 60); do echo tick-$i; sleep 0.05; done; echo over-$((40+2))\n");
  await expect(screen(page)).toContainText("tick-2");
  const url = page.url();
  const next = await page.context().newPage();
  await page.close();
  await next.goto(url);
  await expect(next.locator(".panel .xterm-rows").first()).toContainText("over-42", { timeout: 30_000 });
  await expect(next.locator(".panel .xterm-rows").first()).toContainText("tick-60");
});

test("a shell that ended is replaced where it was", async ({ page, server }) => {
  await register(page, server.base);
  await openPython(page);
  await openTerminal(page);
  await page.keyboard.type("exit 3\n");
  await expect(screen(page)).toContainText("exit code 3");
  await page.getByRole("button", { name: "Restart" }).click();
  await expect(page.locator(".xterm-helper-textarea")).toBeFocused();
  await page.keyboard.type("echo again-$((40+2))\n");
  await expect(screen(page)).toContainText("again-42");
  await expect(page.getByRole("tablist", { name: "Terminals" }).getByRole("tab")).toHaveCount(1);
});

test("what scrolled by is found, and a terminal has the name that it was given", async ({ page, server }) => {
  await register(page, server.base);
  await openPython(page);
  await openTerminal(page);
  await page.keyboard.type("seq 1 300 | sed s/^/row-/\n");
  await expect(screen(page)).toContainText("row-300");
  await page.keyboard.press("Control+Shift+F");
  await page.keyboard.type("row-150");
  await expect(page.getByRole("search").getByText(/^1 of 1$/)).toBeVisible();
  await expect(screen(page)).toContainText("row-150");
  await page.keyboard.press("Escape");
  await expect(page.locator(".xterm-helper-textarea")).toBeFocused();
  await page.getByRole("tablist", { name: "Terminals" }).getByRole("tab").focus();
  await page.keyboard.press("F2");
  await page.keyboard.type("logs");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("tab", { name: "logs" })).toBeVisible();
  await expect(page.locator(".xterm-helper-textarea")).toBeFocused();
});
