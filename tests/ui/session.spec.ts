// A session from its start to its end: what is seen of it, and how one goes on.
import { expect, type Page } from "@playwright/test";
import { test } from "./server.ts";
import { accessible, act, openPython, openTerminal, register, screen } from "./steps.ts";

const SESSION = "**/api/v1/workspaces/*/session";

/** What the page is told of its session from now on. */
async function told(page: Page, part: object): Promise<void> {
  await page.route(SESSION, async (route) => {
    if (route.request().method() !== "GET") return route.continue();
    const answer = await route.fetch();
    return route.fulfill({ response: answer, json: { ...(await answer.json()), ...part } });
  });
}

/** The page asks anew, as after any event. */
async function asksAnew(page: Page): Promise<void> {
  const asked = page.waitForResponse(SESSION);
  await act(page, "Keep the session until its programs end");
  await asked;
}

test("its start is told stage by stage, and the terminal opens by itself", async ({ page, server }) => {
  await register(page, server.base);
  await openPython(page);
  let go = () => {};
  const held = new Promise<void>((resolve) => {
    go = resolve;
  });
  await page.route(SESSION, async (route) => {
    if (route.request().method() === "GET") await held;
    await route.continue();
  });
  await page.getByRole("button", { name: "Start session" }).click();
  const start = page.getByRole("region", { name: "Session start" });
  await expect(start.getByText("Starting session")).toBeVisible();
  await expect(start.getByRole("listitem")).toHaveCount(7);
  await expect(start.getByText("Your terminal opens here by itself.")).toBeVisible();
  await expect(page.getByRole("button", { name: /^Session: Starting/ })).toBeVisible();
  // After five seconds it can be cancelled from the status bar.
  await expect(page.getByRole("button", { name: "Cancel start" })).toHaveCount(2, { timeout: 30_000 });
  await accessible(page);
  await page.screenshot({ path: "results/session-start.png" });
  go();
  await expect(screen(page)).toContainText("$", { timeout: 60_000 });
  await expect(page.locator(".xterm-helper-textarea")).toBeFocused();
});

test("stopped, it says so and starts again; restarted, a terminal is there", async ({ page, server }) => {
  await register(page, server.base);
  await openPython(page);
  await openTerminal(page);
  await page.keyboard.type("echo before-$((40+2))\n");
  await expect(screen(page)).toContainText("before-42");
  await act(page, "Stop session");
  await expect(page.getByRole("heading", { name: "Session stopped" })).toBeVisible();
  await expect(page.getByText(/Your files are safe: all \d+ are on the server at revision/)).toBeVisible();
  await accessible(page);
  await page.screenshot({ path: "results/session-stopped.png" });
  await page.getByRole("button", { name: "Show last output" }).click();
  await expect(screen(page)).toContainText("before-42");
  await page.getByRole("button", { name: "Back" }).click();
  await page.getByRole("button", { name: "Start session" }).click();
  await expect(screen(page)).toContainText("$", { timeout: 60_000 });
  await expect(screen(page)).not.toContainText("before-42");
  await page.keyboard.type("echo after-$((40+2))\n");
  await expect(screen(page)).toContainText("after-42");
  await act(page, "Restart session");
  await expect(screen(page)).not.toContainText("after-42", { timeout: 60_000 });
  await expect(screen(page)).toContainText("$", { timeout: 60_000 });
  await expect(page.getByRole("tab", { name: "shell" })).toHaveCount(1);
});

test("a countdown comes before an idle stop, and one button keeps it", async ({ page, server }) => {
  await register(page, server.base);
  await openPython(page);
  await openTerminal(page);
  await told(page, { state: "idle", idle_stop_at: new Date(Date.now() + 118_000).toISOString() });
  await asksAnew(page);
  await expect(page.getByRole("button", { name: /Session: Stops in 1:/ })).toBeVisible();
  await page.unroute(SESSION);
  await page.getByRole("button", { name: "Keep running" }).click();
  await expect(page.getByRole("button", { name: /Session: Session/ })).toBeVisible();
});

test("one that a limit ended says which, and what helps", async ({ page, server }) => {
  await register(page, server.base);
  await openPython(page);
  await openTerminal(page);
  await told(page, {
    state: "failed",
    reason: { code: "out_of_memory", text: "The session asked for more than 512 MiB." },
    ended_at: new Date().toISOString(),
  });
  await asksAnew(page);
  await expect(page.getByRole("heading", { name: "Session stopped: out of memory" })).toBeVisible();
  await expect(page.getByText("Read large files in parts")).toBeVisible();
  await expect(page.getByRole("button", { name: "Start session" })).toBeVisible();
  await accessible(page);
  await page.screenshot({ path: "results/session-failed.png" });
});

test("a server that is told to stop is followed by one that knows everything", async ({ page, server }) => {
  await register(page, server.base);
  await openPython(page);
  await openTerminal(page);
  await page.keyboard.type("for i in $(seq 1 150); do echo line-$i; sleep 0.03; done; echo all-$((40+2))\n");
  await expect(screen(page)).toContainText("line-3");
  await server.terminate();
  await expect(page.getByText("Offline – edits are kept")).toBeVisible({ timeout: 60_000 });
  await server.start();
  await expect(page.getByText("Online", { exact: true })).toBeVisible({ timeout: 60_000 });
  await expect(screen(page)).toContainText("all-42", { timeout: 60_000 });
});
