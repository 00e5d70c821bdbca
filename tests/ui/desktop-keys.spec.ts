// No mouse in the desktop program: every screen is reached, left by Escape, and the focus is always somewhere.
import { expect, type Page } from "@playwright/test";
import { test } from "./fake.ts";
import { tabTo } from "./steps.ts";

/** The workspace that has everything at once, and one that no server knows. */
const FULL = "/w/018f1000-0000-7000-8000-000000000001";
const LOCAL = "/w/018f1000-0000-7000-8000-000000000003";

/** Something has the focus, and it is seen that it has. */
async function hasFocus(page: Page): Promise<void> {
  await expect
    .poll(() =>
      page.evaluate(() => {
        const at = document.activeElement;
        if (!at || at === document.body) return "nothing";
        return at.matches(":focus-visible") && at.getClientRects().length > 0 ? "seen" : at.outerHTML.slice(0, 120);
      }),
    )
    .toBe("seen");
}

/** The region of the frame that has the focus. */
async function isIn(page: Page, region: string): Promise<void> {
  await expect.poll(() => page.evaluate((one) => document.activeElement?.closest(one) !== null, region)).toBe(true);
}

const button = (page: Page, name: string | RegExp) => page.getByRole("button", { name });

test("the first page: a row, its menu, a new workspace, and into one", async ({ page, fake }) => {
  await page.goto(`${fake}/?desktop&state=full`);
  const more = button(page, "Actions for tide-notes");
  await tabTo(page, more);
  await page.keyboard.press("Enter");
  await expect(page.getByRole("menuitem", { name: "Open" })).toBeFocused();
  await page.keyboard.press("Escape");
  await expect(more).toBeFocused();
  await page.keyboard.press("Enter");
  await page.keyboard.press("End");
  await page.keyboard.press("Enter");
  await expect(page.getByText("tide-notes is off the list")).toBeVisible();
  await hasFocus(page);

  const create = button(page, "Create workspace");
  await tabTo(page, create);
  await page.keyboard.press("Enter");
  await expect(page.getByRole("dialog").getByRole("textbox")).toBeFocused();
  await page.keyboard.press("Escape");
  await expect(create).toBeFocused();
  await page.keyboard.press("Control+n");
  await expect(page.getByRole("dialog").getByRole("textbox")).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("treeitem").first()).toBeVisible();
  await expect(page.getByRole("tree", { name: "Files" })).toBeFocused();
  // At its first row, and nothing is chosen: what is made now goes to the top.
  await expect(page.locator(".explorer-tree [aria-selected=true]")).toHaveCount(0);

  await page.goto(`${fake}/?desktop&state=full`);
  await expect(button(page, "Open folder")).toBeVisible();
  await page.keyboard.press("F6");
  await isIn(page, ".topbar");
  await page.keyboard.press("F6");
  await isIn(page, "main");
  await page.keyboard.press("Control+o");
  await expect(page.getByRole("tree", { name: "Files" })).toBeFocused();
});

test("signing in: another server and back, and the way offline", async ({ page, fake }) => {
  await page.goto(`${fake}/sign-in?desktop&state=signed-out`);
  const other = button(page, "Other server");
  await tabTo(page, other);
  await page.keyboard.press("Enter");
  const server = page.getByLabel("Server");
  await expect(server).toBeFocused();
  await page.keyboard.press("Escape");
  await expect(server).toBeHidden();
  await hasFocus(page);
  await tabTo(page, page.getByRole("radio", { name: /Nowhere/ }));
  await page.keyboard.press("ArrowDown");
  await expect(page.getByRole("radio", { name: /In a file/ })).toBeFocused();
  await tabTo(page, page.getByRole("link", { name: "Work offline" }));
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { name: "On this computer" })).toBeVisible();
  await hasFocus(page);
});

test("sync and conflicts: into the side bar, through a merge, and back by Escape", async ({ page, fake }) => {
  await page.goto(`${fake}${FULL}?desktop&state=full`);
  await expect(page.getByRole("treeitem", { name: /main\.py/ })).toBeVisible();
  await expect(page.getByRole("tree", { name: "Files" })).toBeFocused();
  await expect(button(page, /^Sync, \d+ things wait for you$/)).toBeVisible();
  for (let press = 0; press < 3; press += 1) await page.keyboard.press("Shift+F6");
  await tabTo(page, button(page, "47 deletions wait for you"));
  await page.keyboard.press("Enter");
  await isIn(page, ".side");
  await page.keyboard.press("Control+Shift+E");
  await page.keyboard.press("F1");
  await page.keyboard.type("Show sync");
  await page.keyboard.press("Enter");
  await expect(page.getByText("47 of 60 files and folders were deleted")).toBeVisible();
  await isIn(page, ".side");
  await tabTo(page, button(page, "Bring them back"));
  await page.keyboard.press("Enter");
  await expect(page.getByText("47 of 60 files and folders were deleted")).toBeHidden();
  await hasFocus(page);
  await tabTo(page, button(page, /Undo what came in/).first());
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { name: "Came in" })).toBeFocused();
  await hasFocus(page);

  await page.keyboard.press("Alt+F7");
  await expect(page.getByText("Change 1 of 2")).toBeVisible();
  await isIn(page, ".main-frame");
  await page.keyboard.press("Escape");
  await expect(page.getByText("Change 1 of 2")).toBeHidden();
  await page.keyboard.press("Control+Shift+E");
  await expect(page.getByRole("tree", { name: "Files" })).toBeFocused();
  await page.keyboard.press("Alt+F7");
  await isIn(page, ".main-frame");
  await expect(page.locator(".merge-result .view-lines")).toContainText("STATIONS");
  const result = page.getByRole("textbox", { name: "stations.py, result" });
  await tabTo(page, result);
  // Out of the editor, which keeps Tab for itself, and on to its buttons.
  await page.keyboard.press("Escape");
  const frame = page.getByRole("region", { name: "Conflict in stations.py" });
  await expect(frame).toBeFocused();
  await hasFocus(page);
  await tabTo(page, button(page, "Keep both files"));
  await page.keyboard.press("Alt+1");
  await page.keyboard.press("Alt+2");
  const save = button(page, "Save");
  await tabTo(page, save);
  await page.keyboard.press("Enter");
  await expect(save).toHaveAttribute("aria-disabled", "true");
  await expect(save).toBeFocused();
  await expect(page.getByText("edit freely", { exact: true })).toBeVisible();
  await page.keyboard.press("Control+Enter");
  await expect(page.getByText("It was deleted on the server")).toBeVisible();
  await hasFocus(page);
  await page.keyboard.press("Escape");
  await expect(page.getByText("It was deleted on the server")).toBeHidden();
  await hasFocus(page);
});

test("a file's history: its versions, one of them restored, and back by Escape", async ({ page, fake }) => {
  await page.goto(`${fake}${FULL}?desktop&state=full`);
  await expect(page.getByRole("treeitem", { name: /main\.py/ })).toBeVisible();
  await page.keyboard.press("Control+p");
  await page.keyboard.type("main.py");
  await page.keyboard.press("Enter");
  await expect(page.locator(".monaco-editor .native-edit-context").first()).toBeFocused();
  await page.keyboard.press("Control+Alt+h");
  await expect(page.getByText("Restore writes the old text")).toBeVisible();
  await hasFocus(page);
  await tabTo(page, button(page, "Older version"));
  await page.keyboard.press("Enter");
  await page.keyboard.press("Enter");
  await page.keyboard.press("Enter");
  // At the oldest one it can go no further, and keeps the focus.
  await expect(button(page, "Older version")).toHaveAttribute("aria-disabled", "true");
  await expect(button(page, "Older version")).toBeFocused();
  await page.keyboard.press("Alt+ArrowRight");
  await tabTo(page, button(page, /^Restore/));
  await page.keyboard.press("Enter");
  await expect(page.getByText(/main\.py is as it was at/)).toBeVisible();
  await expect(button(page, /^Restore/)).toHaveAttribute("aria-disabled", "true");
  await hasFocus(page);
  await page.keyboard.press("Escape");
  await expect(page.getByText("Restore writes the old text")).toBeHidden();
  await expect(page.locator(".monaco-editor .native-edit-context").first()).toBeFocused();

  await page.keyboard.press("Control+Shift+e");
  await page.keyboard.press("Shift+F10");
  await page.getByRole("menuitem", { name: "History" }).press("Enter");
  await expect(page.getByText("Restore writes the old text")).toBeVisible();
  await isIn(page, ".main-frame");
});

test("without the server, what was saved here: one of it is restored, and that is taken back", async ({ page, fake }) => {
  await page.goto(`${fake}${FULL}?desktop&state=offline`);
  await expect(page.getByText("Offline – edits are kept").first()).toBeVisible();
  await page.keyboard.press("Control+p");
  await page.keyboard.type("README.md");
  await page.keyboard.press("Enter");
  const text = page.locator(".monaco-editor .native-edit-context").first();
  await expect(text).toBeFocused();
  const rows = page.locator(".history-row", { hasText: "on this computer" });
  for (const [at, word] of ["calm", "rough"].entries()) {
    await page.keyboard.press("Control+Home");
    await page.keyboard.insertText(`${word} `);
    await page.keyboard.press("Control+s");
    await page.keyboard.press("Control+Alt+h");
    await expect(rows).toHaveCount(at + 1);
    await isIn(page, ".main-frame");
    await page.keyboard.press("Escape");
    await expect(text).toBeFocused();
  }
  await page.keyboard.press("Control+Alt+h");
  await expect(page.getByText("Its versions come when it is back.")).toBeVisible();
  await hasFocus(page);
  const restore = button(page, /^Restore/);
  await tabTo(page, restore);
  await page.keyboard.press("Enter");
  await expect(page.getByText(/README\.md is as it was at/)).toBeVisible();
  await expect(restore).toHaveAttribute("aria-disabled", "true");
  await hasFocus(page);
  await tabTo(page, button(page, "Undo"));
  await page.keyboard.press("Enter");
  await expect(restore).toHaveAttribute("aria-disabled", "false");
  await tabTo(page, restore);
  await page.keyboard.press("Escape");
  await expect(text).toBeFocused();
  await expect(page.locator(".monaco-editor .view-lines").first()).toContainText("rough calm");
});

test("what is deleted is brought back by the message that says so, and the keys are in the tree again", async ({
  page,
  fake,
}) => {
  await page.goto(`${fake}${FULL}?desktop&state=full`);
  const tree = page.getByRole("tree", { name: "Files" });
  const row = page.getByRole("treeitem", { name: "README.md" });
  await expect(row).toBeVisible();
  await expect(tree).toBeFocused();
  await page.keyboard.type("README");
  await page.keyboard.press("Delete");
  await expect(row).toHaveCount(0);
  for (let press = 0; press < 3; press += 1) await page.keyboard.press("Shift+F6");
  await isIn(page, ".toasts");
  await page.keyboard.press("Enter");
  await expect(row).toBeVisible();
  await expect(tree).toBeFocused();
});

test("a run that waits, its queue, and a terminal of this computer that is left again", async ({ page, fake }) => {
  await page.goto(`${fake}${FULL}?desktop&state=offline`);
  await expect(page.getByText("Offline – edits are kept").first()).toBeVisible();
  await page.keyboard.press("Control+p");
  await page.keyboard.type("main.py");
  await page.keyboard.press("Enter");
  await expect(page.locator(".monaco-editor .native-edit-context").first()).toBeFocused();
  await page.keyboard.press("Control+F5");
  await expect(page.getByRole("button", { name: "Remove from the queue" })).toBeVisible();
  await page.keyboard.press("F6");
  await tabTo(page, button(page, "Remove from the queue"));
  await page.keyboard.press("F1");
  await page.keyboard.type("New terminal on this computer");
  await page.keyboard.press("Enter");
  const prompt = page.getByRole("textbox", { name: "Terminal input, F6 leaves it" });
  await expect(prompt).toBeFocused();
  await page.keyboard.press("F6");
  await hasFocus(page);
  await page.keyboard.press("Shift+F6");
  await expect(prompt).toBeFocused();
  await page.keyboard.press("Control+j");
  await expect(prompt).toBeHidden();
  await hasFocus(page);
  await page.keyboard.press("Control+Shift+e");
  await expect(page.getByRole("tree")).toBeFocused();
  await page.keyboard.press("Control+b");
  await expect(page.getByRole("tree")).toBeHidden();
  await hasFocus(page);
});

test("a workspace of this computer alone is uploaded, and the question gives the focus back", async ({
  page,
  fake,
}) => {
  await page.goto(`${fake}${LOCAL}?desktop&state=full`);
  const upload = button(page, "Upload to the server");
  const name = page.getByRole("dialog").getByRole("textbox");
  await tabTo(page, upload);
  await page.keyboard.press("Enter");
  await expect(name).toBeFocused();
  await page.keyboard.press("Escape");
  await expect(upload).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(name).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(page.getByText("is on its way to the server")).toBeVisible();
  await hasFocus(page);
});

test("in a narrow window the side bar comes over the editor and is put away, with the keys", async ({ page, fake }) => {
  await page.setViewportSize({ width: 880, height: 700 });
  await page.goto(`${fake}${FULL}?desktop&state=full`);
  const tree = page.getByRole("tree", { name: "Files" });
  await expect(button(page, "Explorer")).toBeVisible();
  await page.keyboard.press("Control+Shift+E");
  await expect(tree).toBeFocused();
  await page.keyboard.press("Escape");
  await expect(tree).toBeHidden();
  await hasFocus(page);
  await page.keyboard.press("Control+B");
  await expect(tree).toBeVisible();
  await page.keyboard.press("Control+B");
  await expect(tree).toBeHidden();
  await hasFocus(page);
});

test("the frame's keys work while text is searched and after it", async ({ page, fake }) => {
  await page.goto(`${fake}${FULL}?desktop&state=full`);
  const palette = page.getByRole("dialog", { name: "Search files and commands" });
  await expect(page.getByRole("treeitem", { name: /main\.py/ })).toBeVisible();
  await page.keyboard.press("Control+p");
  await page.keyboard.type("main.py");
  await page.keyboard.press("Enter");
  await expect(page.locator(".monaco-editor.focused")).toBeVisible();
  const find = page.locator(".find-widget.visible");
  await page.keyboard.press("Control+f");
  await expect(find).toBeVisible();
  for (const searching of [true, false]) {
    await page.keyboard.press("Control+p");
    await expect(palette).toBeVisible();
    await page.keyboard.press("Escape");
    await expect(palette).toBeHidden();
    await expect(find).toBeVisible({ visible: searching });
    await page.keyboard.press("Escape");
    await expect(find).toBeHidden();
  }
});

test("the way back from a conflict decides nothing about files", async ({ page, fake }) => {
  await page.goto(`${fake}${FULL}?desktop&state=full`);
  await expect(page.getByRole("treeitem", { name: /main\.py/ })).toBeVisible();
  await page.keyboard.press("F1");
  await page.keyboard.type("Show sync");
  await page.keyboard.press("Enter");
  await expect(button(page, "Bring them back")).toBeVisible();
  await page.keyboard.press("Alt+F7");
  const conflict = page.getByRole("region", { name: "Conflict in stations.py" });
  await expect(conflict).toBeVisible();
  await conflict.press("Escape");
  await expect(conflict).toBeHidden();
  await expect(page.getByRole("complementary", { name: "Sync" })).toBeFocused();
  await hasFocus(page);
});

test("a file whose row is not in the tree is not renamed there, and it is said why", async ({ page, fake }) => {
  await page.goto(`${fake}${FULL}?desktop&state=full`);
  await expect(page.getByRole("tree", { name: "Files" })).toBeFocused();
  await page.keyboard.press("F1");
  await page.keyboard.type("Show sync");
  await page.keyboard.press("Enter");
  const rename = button(page, "Rename it").first();
  await tabTo(page, rename);
  await page.keyboard.press("Enter");
  await expect(page.getByText(/is not among the files here/)).toBeVisible();
  await expect(rename).toBeFocused();
});
