// No mouse: from registering to a run, from region to region, and back to where the focus was.
import { expect, type Page } from "@playwright/test";
import { test } from "./server.ts";
import { accessible, goTo, openPython, openTerminal, PASSWORD, put, register, screen, stored, tabTo } from "./steps.ts";

const region = (page: Page) =>
  page.evaluate(
    () =>
      document.activeElement?.closest(".topbar, .activity, .side, .editor-area, .panel, .statusbar")?.classList[0] ?? "",
  );

test("a person without a mouse registers, edits and runs", async ({ page, server }) => {
  await page.goto(server.base);
  await tabTo(page, page.getByLabel("Name"));
  await page.keyboard.type("Mo");
  await tabTo(page, page.getByLabel("E-mail"));
  await page.keyboard.type("mo@example.org");
  await tabTo(page, page.getByLabel("Password", { exact: true }));
  await page.keyboard.type(PASSWORD);
  await page.keyboard.press("Enter");
  await tabTo(page, page.getByRole("button", { name: /Python data/ }));
  await page.keyboard.press("Enter");
  await expect(page.getByRole("dialog").getByRole("textbox", { name: "Name" })).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("treeitem", { name: /main\.py/ })).toBeVisible();
  await goTo(page, "main.py");
  const lines = page.locator(".monaco-editor .view-lines").first();
  await expect(lines).toContainText("import pandas");
  await page.keyboard.press("Control+End");
  await page.keyboard.type('\nprint("typed", 40 + 2)\n');
  await page.keyboard.press("Control+F5");
  await expect(screen(page)).toContainText("typed 42", { timeout: 60_000 });
});

test("F6 goes round the regions, out of a terminal as well", async ({ page, server }) => {
  await register(page, server.base);
  await openPython(page);
  await goTo(page, "main.py");
  await expect(page.locator(".monaco-editor .view-lines").first()).toContainText("import pandas");
  await openTerminal(page);
  expect(await region(page)).toBe("panel");
  const seen: string[] = [];
  for (let press = 0; press < 6; press += 1) {
    await page.keyboard.press("F6");
    seen.push(await region(page));
  }
  expect(seen).toEqual(["statusbar", "topbar", "activity", "side", "editor-area", "panel"]);
  await page.keyboard.press("Shift+F6");
  expect(await region(page)).toBe("editor-area");
  await page.keyboard.press("Control+Shift+E");
  await expect(page.getByRole("tree")).toBeFocused();
  await page.keyboard.press("Control+B");
  await expect(page.getByRole("tree")).toBeHidden();
  await page.keyboard.press("Control+Shift+E");
  await expect(page.getByRole("tree")).toBeFocused();
  await page.keyboard.press("Control+`");
  expect(await region(page)).toBe("panel");
});

test("the command box finds paths, says why not, and gives the focus back", async ({ page, server }) => {
  await register(page, server.base);
  await openPython(page);
  await put(page, server.base, "src/main.py", "print('deep')\n");
  await expect(page.getByRole("treeitem", { name: /^src/ })).toBeVisible();
  await goTo(page, "README.md");
  const editor = page.locator(".monaco-editor .native-edit-context");
  await expect(editor).toBeFocused();
  await page.keyboard.press("Control+P");
  const box = page.getByRole("dialog", { name: "Search files and commands" });
  await box.getByRole("combobox").fill("src/main.py");
  await expect(box.getByRole("option")).toHaveCount(1);
  await expect(box.getByRole("option").locator("b").first()).toHaveText("main.py");
  await accessible(page);
  await box.getByRole("combobox").fill(">stop session");
  await expect(box.getByRole("option").first()).toContainText("No session is running");
  await expect(box.getByRole("option").first()).toBeDisabled();
  await page.keyboard.press("Enter");
  await expect(box).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(box).toBeHidden();
  await expect(editor).toBeFocused();
  await page.keyboard.press("Control+P");
  await box.getByRole("combobox").fill(":2");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("button", { name: /Ln 2,/ })).toBeVisible();
});

test("the list of shortcuts and the menus are accessible, and Delete line stays the editor's", async ({
  page,
  server,
}) => {
  await register(page, server.base);
  await openPython(page);
  await goTo(page, "main.py");
  const lines = page.locator(".monaco-editor .view-lines").first();
  await expect(lines).toContainText("Tides at two harbours");
  await page.keyboard.press("Control+Home");
  await page.keyboard.press("Control+Shift+K");
  await expect(lines).not.toContainText("Tides at two harbours");
  await page.keyboard.press("Alt+F1");
  await expect(page.getByRole("dialog", { name: "Keyboard shortcuts" })).toBeVisible();
  await accessible(page);
  await page.keyboard.press("Escape");
  for (const button of ["Run options", /^Session/, /^Workspace/]) {
    await page.getByRole("button", { name: button }).first().click();
    await expect(page.getByRole("menu")).toBeVisible();
    await accessible(page);
    await page.keyboard.press("Escape");
    await expect(page.getByRole("menu")).toBeHidden();
  }
});

test("the side bar is resized by keys, and is found so after a reload", async ({ page, server }) => {
  await register(page, server.base);
  await openPython(page);
  const edge = page.getByRole("separator", { name: "Side bar width" });
  await edge.focus();
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("ArrowRight");
  await expect(edge).toHaveAttribute("aria-valuenow", "288");
  await page.reload();
  await expect(edge).toHaveAttribute("aria-valuenow", "288");
  await expect(page).toHaveTitle(/python-data – Slipway$/);
});

test("files, terminal, status bar and the way out, all by keys", async ({ page, server }) => {
  await register(page, server.base);
  await tabTo(page, page.getByRole("button", { name: /Python data/ }));
  await page.keyboard.press("Enter");
  await expect(page.getByRole("dialog").getByRole("textbox", { name: "Name" })).toBeFocused();
  await page.keyboard.press("Enter");
  const tree = page.getByRole("tree", { name: "Files" });
  const item = (name: string) => page.getByRole("treeitem", { name, exact: true });
  await expect(item("main.py")).toBeVisible();

  // A new file opens in the editor; the tree keeps the keys for everything else.
  await page.keyboard.press("Alt+n");
  await page.keyboard.type("notes.txt");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("tab", { name: "notes.txt", selected: true })).toBeVisible();
  await expect(page.locator(".monaco-editor .native-edit-context")).toBeFocused();
  await page.keyboard.press("Control+Shift+E");
  await expect(tree).toBeFocused();
  await page.keyboard.press("F2");
  await page.keyboard.press("Escape");
  await expect(tree).toBeFocused();
  await page.keyboard.press("F2");
  await page.keyboard.press("Control+a");
  await page.keyboard.type("diary.txt");
  await page.keyboard.press("Enter");
  await expect(item("diary.txt")).toHaveAttribute("aria-selected", "true");
  await expect(tree).toBeFocused();
  await page.keyboard.press("Control+x");
  await page.keyboard.type("data");
  await expect(item("data")).toHaveAttribute("aria-selected", "true");
  await page.keyboard.press("Control+v");
  await expect(item("diary.txt")).toHaveAttribute("aria-level", "2");
  await expect(tree).toBeFocused();

  // Deleted, and brought back by the message that says so.
  await page.keyboard.type("diary");
  await page.keyboard.press("Delete");
  await expect(item("diary.txt")).toHaveCount(0);
  await page.keyboard.press("Shift+F6");
  await page.keyboard.press("Shift+F6");
  await page.keyboard.press("Shift+F6");
  const undo = page.getByRole("button", { name: "Undo" });
  await tabTo(page, undo);
  await page.keyboard.press("Enter");
  await expect(item("diary.txt")).toBeVisible();

  // Into a terminal, and out of it.
  await goTo(page, "main.py");
  await page.keyboard.press("Control+Shift+`");
  const prompt = page.getByRole("textbox", { name: "Terminal input, F6 leaves it" });
  await expect(prompt).toBeFocused({ timeout: 60_000 });
  await expect(page.getByText("leaves the terminal")).toBeVisible();
  await page.keyboard.type("echo by-$((40+2))\n");
  await expect(screen(page)).toContainText("by-42");
  await page.keyboard.press("F6");
  expect(await region(page)).toBe("statusbar");

  // The status bar's choices are menus, and commands as well.
  await tabTo(page, page.getByRole("button", { name: "Indentation: Spaces: 4" }));
  await page.keyboard.press("Enter");
  await expect(page.getByRole("menuitemradio", { name: "2 spaces" })).toBeFocused();
  await page.keyboard.press("Escape");
  await expect(page.getByRole("menu")).toHaveCount(0);
  await expect(page.getByRole("button", { name: "Indentation: Spaces: 4" })).toBeFocused();
  await page.keyboard.press("F1");
  await page.keyboard.type("Indent with 2");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("button", { name: "Indentation: Spaces: 2" })).toBeVisible();
  await page.keyboard.press("F1");
  await page.keyboard.type("Read this file as SQL");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("button", { name: "Language: SQL" })).toBeVisible();
  await page.keyboard.press("F1");
  await page.keyboard.type("End lines with CRLF");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("button", { name: "End of lines: CRLF" })).toBeVisible();
  await expect.poll(() => stored(page, server.base, "main.py")).toContain("import pandas as pd\r\n");

  await page.keyboard.press("F1");
  await page.keyboard.type("Stop session");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { name: "Session stopped" })).toBeVisible();
  await page.keyboard.press("F1");
  await page.keyboard.type("Sign out");
  await page.keyboard.press("Enter");
  await expect(page.getByLabel("E-mail")).toBeFocused();
});

test("a narrow window puts the side bar over the editor, and Escape puts it away", async ({ page, server }) => {
  await register(page, server.base);
  await openPython(page);
  const tree = page.getByRole("tree", { name: "Files" });
  await page.setViewportSize({ width: 880, height: 700 });
  await expect(tree).toBeHidden();
  await page.keyboard.press("Control+Shift+E");
  await expect(tree).toBeFocused();
  await page.keyboard.press("Escape");
  await expect(tree).toBeHidden();
  await page.keyboard.press("Control+B");
  await expect(tree).toBeVisible();
  await page.locator(".editor-area").click({ position: { x: 700, y: 200 } });
  await expect(tree).toBeHidden();
  await page.setViewportSize({ width: 1440, height: 900 });
  await expect(tree).toBeVisible();
});
