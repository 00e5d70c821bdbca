// Every screen in both themes and two sizes: nothing that axe finds, and a picture to look at.
import { expect } from "@playwright/test";
import { test } from "./server.ts";
import { accessible, edit, openPython, openTerminal, register } from "./steps.ts";

const SIZES = [
  { width: 1440, height: 900 },
  { width: 900, height: 700 },
];

for (const colorScheme of ["dark", "light"] as const) {
  test(`screens in the ${colorScheme} theme`, async ({ page, server }) => {
    await page.emulateMedia({ colorScheme });
    const look = async (name: string) => {
      for (const size of [...SIZES].reverse()) {
        await page.setViewportSize(size);
        await accessible(page);
        await page.screenshot({ path: `results/${name}-${colorScheme}-${size.width}.png` });
      }
    };
    await page.goto(server.base);
    await expect(page.getByText("becomes its administrator")).toBeVisible();
    await look("register");
    await register(page, server.base);
    await look("workspaces");
    await openPython(page);
    await edit(page, /main\.py/, "import pandas");
    await look("ide");
    await openTerminal(page);
    await look("ide-terminal");
    await page.keyboard.press("F1");
    await expect(page.getByRole("dialog")).toBeVisible();
    await look("palette");
    await page.keyboard.press("Escape");
    await page.goto(`${server.base}/account`);
    await expect(page.getByRole("heading").first()).toBeVisible();
    await look("account");
    await page.getByRole("button", { name: /Account of Mo/ }).click();
    await page.getByRole("menuitem", { name: "Administration" }).click();
    await expect(page.getByRole("listitem", { name: "Mo" })).toBeVisible();
    await look("administration");
  });
}
