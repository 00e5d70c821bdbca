// The page as the desktop program shows it, on the fake host: every screen in both themes and two sizes.
import { expect, type Page } from "@playwright/test";
import { test } from "./fake.ts";
import { accessible } from "./steps.ts";

const SIZES = [
  { width: 1440, height: 900 },
  { width: 900, height: 700 },
];
/** At this width the side bar lies over the editor. */
const NARROW = 900;
/** The workspace that has everything at once, and one that no server knows. */
const FULL = "/w/018f1000-0000-7000-8000-000000000001";
const LOCAL = "/w/018f1000-0000-7000-8000-000000000003";
/** What comes to this computer for the first time. */
const COMING = "/w/018f1000-0000-7000-8000-000000000005";

function looker(page: Page, theme: string) {
  return async (name: string, side = false) => {
    for (const size of [...SIZES].reverse()) {
      await page.setViewportSize(size);
      if (side && size.width <= NARROW) {
        // There it lies over the editor, and is put away first.
        const sync = page.getByRole("button", { name: /^Sync(,|$)/ });
        await expect(sync).toHaveAttribute("aria-pressed", "false");
        await sync.click();
        await expect(page.locator(".side")).toBeVisible();
      }
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
    await page.getByRole("button", { name: /^Sync(,|$)/ }).click();
    await expect(page.getByText("47 of 60 files and folders were deleted")).toBeVisible();
    await look("sync", true);
    await page.getByRole("button", { name: /stations.py/ }).click();
    await expect(page.getByText("Change 1 of 2")).toBeVisible();
    await expect(page.locator(".merge-result .view-lines")).toContainText("STATIONS");
    await look("conflict");
    await page.keyboard.press("Alt+F7");
    await expect(page.getByText("It was deleted on the server")).toBeVisible();
    await look("conflict-deleted");

    await show(`${FULL}`, "full");
    await page.getByRole("treeitem", { name: /main\.py/ }).click();
    await page.keyboard.press("Control+Alt+h");
    await expect(page.getByText("Restore writes the old text")).toBeVisible();
    // What did not change is folded once the difference is known.
    await expect(page.locator(".history-diff")).toContainText("hidden lines");
    await expect(page.locator(".history-diff .view-lines").first()).toContainText("describe");
    await look("history");

    await show(FULL, "offline");
    await expect(page.getByText("Offline – edits are kept").first()).toBeVisible();
    await page.getByRole("button", { name: "Terminal on this computer" }).click();
    await expect(page.getByRole("tab", { name: /this computer/ })).toBeVisible();
    await look("offline");
    await page.getByRole("button", { name: /^Sync(,|$)/ }).click();
    await expect(page.getByText("Try now").first()).toBeVisible();
    await look("offline-sync", true);
    await page.getByRole("treeitem").first().waitFor({ state: "hidden" });
    await page.keyboard.press("Control+p");
    await page.keyboard.type("main.py");
    await page.keyboard.press("Enter");
    await page.keyboard.press("Control+F5");
    await expect(page.getByRole("button", { name: "Remove from the queue" })).toBeVisible();
    await look("queued");
    await show(COMING, "full");
    await page.getByRole("button", { name: /^Sync(,|$)/ }).click();
    // Where the fake's first sync rests.
    await expect(page.getByText("16\u2009392", { exact: true })).toBeVisible();
    await look("coming", true);
    await show(FULL, "signed-out");
    await page.getByRole("button", { name: /^Sync(,|$)/ }).click();
    await expect(page.getByText(/Nobody is signed in at/)).toBeVisible();
    await look("signed-out", true);
    await show("/", "error");
    await expect(page.getByText("could not be listed")).toBeVisible();
    await look("start-error");
    await show(FULL, "error");
    await page.getByRole("button", { name: /^Sync(,|$)/ }).click();
    await expect(page.getByText("How it stands could not be read")).toBeVisible();
    await look("sync-error", true);
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
