// The explorer: keys, menus, moving and copying, uploads, and taking back what was deleted.
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, type Page } from "@playwright/test";
import { test } from "./server.ts";
import { accessible, openPython, put, register, stored } from "./steps.ts";

const row = (page: Page, name: string | RegExp) => page.getByRole("treeitem", { name });

test("the tree is worked by keys alone", async ({ page, server }) => {
  await register(page, server.base);
  await openPython(page);
  for (const path of ["src/deep/a.py", "src/deep/b.py", "zoo.md"]) await put(page, server.base, path, "x\n");
  const tree = page.getByRole("tree", { name: "Files" });
  await expect(row(page, "src/deep")).toBeVisible();
  await tree.focus();
  await page.keyboard.type("src");
  await expect(row(page, "src/deep")).toHaveAttribute("aria-selected", "true");
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("ArrowRight");
  const first = row(page, "a.py");
  await expect(first).toHaveAttribute("aria-selected", "true");
  await expect(first).toHaveAttribute("aria-level", "2");
  await expect(first).toHaveAttribute("aria-posinset", "1");
  await expect(first).toHaveAttribute("aria-setsize", "2");
  await page.keyboard.press("ArrowLeft");
  await expect(row(page, "src/deep")).toHaveAttribute("aria-selected", "true");

  // Copy a file to the top, by keys.
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("Control+c");
  await page.keyboard.type("zoo");
  await page.keyboard.press("Control+v");
  await expect.poll(() => stored(page, server.base, "a.py")).toBe("x\n");

  // Rename, with a name that is refused on the way.
  await page.keyboard.type("zoo");
  await page.keyboard.press("F2");
  await page.keyboard.press("Control+a");
  await page.keyboard.type("README.MD");
  await expect(page.getByText("differs only in letter case")).toBeVisible();
  await page.keyboard.press("Control+a");
  await page.keyboard.type("park.md");
  await page.keyboard.press("Enter");
  await expect(row(page, "park.md")).toHaveAttribute("aria-selected", "true");

  // The menu of the row, then delete, and the focus goes on.
  await tree.focus();
  await page.keyboard.press("Shift+F10");
  await expect(page.getByRole("menuitem", { name: "Rename" })).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(page.getByRole("menuitem", { name: "Rename" })).toBeHidden();
  await expect(tree).toBeFocused();
  await page.keyboard.press("Delete");
  await expect(row(page, "park.md")).toHaveCount(0);
  await expect(tree.locator("[aria-selected=true]")).toHaveCount(1);
  await accessible(page);
  await page.getByRole("button", { name: "Undo" }).click();
  await expect(row(page, "park.md")).toBeVisible();
});

test("a folder is uploaded with its bytes shown, and taken names are asked about", async ({ page, server }) => {
  await register(page, server.base);
  await openPython(page);
  const folder = join(mkdtempSync(join(tmpdir(), "upload-")), "data");
  mkdirSync(join(folder, "raw"), { recursive: true });
  writeFileSync(join(folder, "raw", "x.csv"), "1,2\n");
  writeFileSync(join(folder, "notes é.txt"), "first\n");
  const upload = async () => {
    const chosen = page.waitForEvent("filechooser");
    await page.getByRole("button", { name: "Upload" }).click();
    await page.getByRole("menuitem", { name: "Upload a folder" }).click();
    await (await chosen).setFiles(folder);
  };
  await row(page, "README.md").click();
  await upload();
  await expect(page.getByRole("region", { name: "Uploads" })).toContainText("2 files");
  await expect.poll(() => stored(page, server.base, "data/raw/x.csv")).toBe("1,2\n");
  expect(await stored(page, server.base, "data/notes é.txt")).toBe("first\n");

  writeFileSync(join(folder, "notes é.txt"), "second\n");
  await row(page, "README.md").click();
  await upload();
  const question = page.getByRole("dialog");
  await expect(question).toContainText("2 files exist already");
  await accessible(page);
  await question.getByRole("button", { name: "Keep both" }).click();
  await expect.poll(() => stored(page, server.base, "data/notes é (2).txt")).toBe("second\n");
  expect(await stored(page, server.base, "data/notes é.txt")).toBe("first\n");
});

test("an upload can be stopped", async ({ page, server }) => {
  await register(page, server.base);
  await openPython(page);
  await page.route("**/uploads?*", () => undefined);
  const chosen = page.waitForEvent("filechooser");
  await page.getByRole("button", { name: "Upload" }).click();
  await page.getByRole("menuitem", { name: "Upload files" }).click();
  await (await chosen).setFiles({ name: "big.bin", mimeType: "application/octet-stream", buffer: Buffer.alloc(2_000_000) });
  const uploads = page.getByRole("region", { name: "Uploads" });
  await expect(uploads).toContainText("2.0 MB");
  await page.screenshot({ path: "results/upload.png" });
  await uploads.getByRole("button", { name: /Cancel/ }).click();
  await expect(uploads).toContainText("Cancelled");
});
