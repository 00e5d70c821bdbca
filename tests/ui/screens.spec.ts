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
    test.setTimeout(240_000);
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
    await page.getByRole("button", { name: "I have an account" }).click();
    await page.getByLabel("E-mail").fill("mo@example.org");
    await page.getByLabel("Password", { exact: true }).fill("not this one");
    await page.getByRole("button", { name: "Sign in", exact: true }).click();
    await expect(page.getByRole("alert")).toBeVisible();
    await look("sign-in-refused");
    await register(page, server.base);
    await expect(page.getByText("No workspaces yet")).toBeVisible();
    await look("workspaces-empty");
    await page.getByRole("button", { name: "Trash" }).or(page.getByRole("button", { name: "Filters" })).first().click();
    await page.getByRole("button", { name: "Trash" }).click();
    await expect(page.getByText("The trash is empty")).toBeVisible();
    await look("trash-empty");

    await page.goto(server.base);
    await openPython(page);
    await edit(page, /main\.py/, "import pandas");
    await look("ide");
    await openTerminal(page);
    await look("ide-terminal");
    await page.keyboard.press("F1");
    await expect(page.getByRole("dialog")).toBeVisible();
    await look("palette");
    await page.keyboard.press("Escape");

    await page.goto(server.base);
    await expect(page.getByRole("link", { name: "python-data" })).toBeVisible();
    await look("workspaces");
    await page.getByRole("button", { name: "Actions for python-data" }).click();
    await expect(page.getByRole("menu")).toBeVisible();
    await accessible(page);
    await page.screenshot({ path: `results/workspaces-menu-${colorScheme}.png` });
    await page.getByRole("menuitem", { name: "Delete" }).click();
    await expect(page.getByRole("dialog")).toBeVisible();
    await look("workspaces-delete");
    await page.keyboard.press("Escape");

    await page.goto(`${server.base}/account`);
    await expect(page.getByText("This device")).toBeVisible();
    await look("account");
    await page.getByRole("button", { name: /Account of Mo/ }).click();
    await expect(page.getByRole("menu")).toBeVisible();
    await accessible(page);
    await page.getByRole("menuitem", { name: "Administration" }).click();
    await expect(page.getByRole("listitem", { name: "Mo" })).toBeVisible();
    await look("administration");
    await page.goto(`${server.base}/nowhere`);
    await expect(page.getByText("There is nothing here")).toBeVisible();
    await look("nothing-here");
  });
}
