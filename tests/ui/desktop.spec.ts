// The page as the desktop program shows it, on the fake host: every screen in both themes and two sizes.
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { test as base, expect, type Page } from "@playwright/test";
import { accessible } from "./steps.ts";

const SIZES = [
  { width: 1440, height: 900 },
  { width: 900, height: 700 },
];
/** The workspace that has everything at once, and one that no server knows. */
const FULL = "/w/018f1000-0000-7000-8000-000000000001";
const LOCAL = "/w/018f1000-0000-7000-8000-000000000003";

/** The page without any server, from its sources. */
const test = base.extend<object, { fake: string }>({
  fake: [
    async ({}, use) => {
      const args = ["vite", "--mode", "fake", "--host", "127.0.0.1", "--port", "5198"];
      const env = { ...process.env, NO_COLOR: "1" };
      const child = spawn("npx", args, { cwd: "../../src-ui", env, detached: true });
      try {
        await use(await addressOf(child));
      } finally {
        // With what it started itself.
        if (child.pid) process.kill(-child.pid, "SIGTERM");
      }
    },
    { scope: "worker" },
  ],
});

async function addressOf(child: ChildProcess): Promise<string> {
  if (!child.stdout) throw new Error("vite has no output");
  for await (const line of createInterface({ input: child.stdout })) {
    const found = /http:\/\/127\.0\.0\.1:\d+/.exec(line);
    if (!found) continue;
    child.stdout.resume();
    return found[0];
  }
  throw new Error("vite ended before it was ready");
}

function looker(page: Page, theme: string) {
  return async (name: string) => {
    for (const size of [...SIZES].reverse()) {
      await page.setViewportSize(size);
      await accessible(page);
      await page.screenshot({ path: `results/desktop-${name}-${theme}-${size.width}.png` });
    }
  };
}

for (const colorScheme of ["dark", "light"] as const) {
  test(`the desktop's screens in the ${colorScheme} theme`, async ({ page, fake }) => {
    test.setTimeout(240_000);
    await page.emulateMedia({ colorScheme });
    const look = looker(page, colorScheme);
    const show = async (path: string, state: string) => {
      await page.goto(`${fake}${path}?desktop&state=${state}`);
    };
    await show("/", "empty");
    await expect(page.getByText("Later is fine, too.")).toBeVisible();
    await look("first-run");
    await show("/", "full");
    await expect(page.getByText("3 conflicts")).toBeVisible();
    await look("start");
    await show("/sign-in", "signed-out");
    await expect(page.getByText("This computer has no keychain").first()).toBeVisible();
    await look("sign-in");
    await show("/server", "full");
    await expect(page.getByText("Not downloaded").first()).toBeVisible();
    await look("workspaces");

    await show(FULL, "full");
    await page.getByRole("button", { name: "Sync", exact: true }).click();
    await expect(page.getByText("47 of 60 files were deleted")).toBeVisible();
    await look("sync");
    await page.getByRole("button", { name: /stations.py/ }).click();
    await expect(page.getByText("Change 1 of 2")).toBeVisible();
    await expect(page.locator(".merge-result .view-lines")).toContainText("STATIONS");
    await look("conflict");
    await page.keyboard.press("Alt+F7");
    await expect(page.getByText("One side deleted this file")).toBeVisible();
    await look("conflict-deleted");

    await show(`${FULL}`, "full");
    await page.getByRole("treeitem", { name: /main\.py/ }).click();
    await page.keyboard.press("Control+Alt+h");
    await expect(page.getByText("Restore writes the old text")).toBeVisible();
    await expect(page.locator(".history-diff .view-lines").first()).toContainText("Prints");
    await look("history");

    await show(FULL, "offline");
    await expect(page.getByText("Offline – edits are kept").first()).toBeVisible();
    await page.getByRole("button", { name: "Terminal on this computer" }).click();
    await expect(page.getByRole("tab", { name: /this computer/ })).toBeVisible();
    await look("offline");
    await show(LOCAL, "full");
    await expect(page.getByText("This workspace is only on this computer").first()).toBeVisible();
    await look("only-here");
  });
}

test("the desktop begins in the workspace of yesterday, and an address opens a file", async ({ page, fake }) => {
  await page.goto(`${fake}${FULL}?desktop&open=main.py`);
  await expect(page.getByRole("tab", { name: /main\.py/ })).toBeVisible();
  await expect(page).toHaveURL(new RegExp(`${FULL}$`));
});
