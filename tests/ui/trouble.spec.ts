// Everything that goes wrong on the way: cut wires, killed servers, saves that do not arrive, a second tab.
import { expect, type Page } from "@playwright/test";
import { test } from "./server.ts";
import { accessible, act, edit, openPython, openTerminal, PASSWORD, put, register, remove, stored } from "./steps.ts";

const COUNT = "for i in $(seq 1 150); do echo line-$i; sleep 0.03; done; echo all-$((40+2))\n";

test("a cut network loses neither a key nor a line of output", async ({ page, server, wire }) => {
  await register(page, wire.base);
  await openPython(page);
  await openTerminal(page);
  await page.keyboard.type(COUNT);
  await expect(page.locator(".xterm-rows").first()).toContainText("line-3");
  await edit(page, /main\.py/, "import pandas");
  wire.cut();
  await page.keyboard.type('print("typed while cut off")\n');
  await expect(page.getByText("Offline – edits are kept")).toBeVisible();
  await expect(page.locator(".monaco-editor .view-lines").first()).toContainText("typed while cut off");
  await page.screenshot({ path: "results/offline.png" });
  wire.mend();
  await expect(page.getByText("Online")).toBeVisible();
  await expect.poll(() => stored(page, server.base, "main.py")).toContain("typed while cut off");
  await expect(page.locator(".xterm-rows").first()).toContainText("all-42");
  await expect(page.locator(".xterm-rows").first()).toContainText("line-150");
});

test("a server killed in mid-work is followed by one that knows everything", async ({ page, server }) => {
  await register(page, server.base);
  await openPython(page);
  await openTerminal(page);
  await page.keyboard.type(COUNT);
  await expect(page.locator(".xterm-rows").first()).toContainText("line-3");
  await edit(page, /main\.py/, "import pandas");
  await server.kill();
  await page.keyboard.type('print("typed without a server")\n');
  await expect(page.getByText("Offline – edits are kept")).toBeVisible();
  await server.start();
  await expect(page.getByText("Online")).toBeVisible({ timeout: 60_000 });
  await expect.poll(() => stored(page, server.base, "main.py")).toContain("typed without a server");
  await expect(page.locator(".xterm-rows").first()).toContainText("all-42", { timeout: 60_000 });
});

test("an edit that could not be saved survives a reload", async ({ page, server }) => {
  await register(page, server.base);
  await openPython(page);
  await edit(page, /main\.py/, "import pandas");
  const saves = "**/api/v1/workspaces/*/**";
  await page.route(saves, (route) => (route.request().method() === "GET" ? route.continue() : route.abort()));
  await page.keyboard.type('print("kept in the browser")\n');
  await expect(page.getByText(/edits? waiting|not saved/).first()).toBeVisible();
  page.once("dialog", (dialog) => void dialog.accept());
  await page.reload();
  await page.unroute(saves);
  await page.getByRole("treeitem", { name: /main\.py/ }).dblclick();
  await expect(page.locator(".monaco-editor .view-lines").first()).toContainText("kept in the browser");
  await expect.poll(() => stored(page, server.base, "main.py")).toContain("kept in the browser");
});

test("a sign-in that ends in mid-work is renewed in place, and what was typed is saved", async ({
  page,
  server,
  playwright,
}) => {
  await register(page, server.base);
  await openPython(page);
  await edit(page, /main\.py/, "import pandas");
  // The sign-in ends while a save has not gone out yet.
  const saves = "**/api/v1/workspaces/*/**";
  await page.route(saves, (route) => (route.request().method() === "GET" ? route.continue() : route.abort()));
  await page.keyboard.type('print("typed by nobody")\n');
  await expect(page.getByText(/edits? waiting|not saved/).first()).toBeVisible();
  const elsewhere = await playwright.request.newContext({
    baseURL: server.base,
    extraHTTPHeaders: { origin: server.base },
  });
  const signIn = { email: "mo@example.org", password: PASSWORD };
  await elsewhere.post("/api/v1/sign-in", { data: signIn });
  const devices: { id: string; current: boolean }[] = await (await elsewhere.get("/api/v1/account/devices")).json();
  for (const device of devices.filter((one) => !one.current))
    await elsewhere.delete(`/api/v1/account/devices/${device.id}`);
  const dialog = page.getByRole("dialog", { name: "Sign in again" });
  await expect(dialog).toBeVisible();
  await accessible(page);
  await page.screenshot({ path: "results/sign-in-again.png" });
  await page.unroute(saves);
  await dialog.getByLabel("Password", { exact: true }).fill("not this one");
  await dialog.getByRole("button", { name: "Sign in" }).click();
  await expect(dialog.getByRole("alert")).toContainText("do not match");
  await dialog.getByLabel("Password", { exact: true }).fill(PASSWORD);
  await page.keyboard.press("Enter");
  await expect(dialog).toBeHidden();
  await expect(page.getByText("Online")).toBeVisible();
  await expect.poll(() => stored(page, server.base, "main.py")).toContain("typed by nobody");
});

test("a second tab sees what the first one types, and neither overwrites the other", async ({ page, server }) => {
  await register(page, server.base);
  await openPython(page);
  const second = await page.context().newPage();
  await second.goto(page.url());
  await edit(page, /main\.py/, "import pandas");
  await second.getByRole("treeitem", { name: /main\.py/ }).dblclick();
  const other = second.locator(".monaco-editor .view-lines").first();
  await expect(other).toContainText("import pandas");
  await page.keyboard.type('print("from the first")\n');
  await expect(other).toContainText("from the first");
  await other.click();
  await second.keyboard.press("Control+Home");
  await second.keyboard.type("# from the second\n");
  await expect(page.locator(".monaco-editor .view-lines").first()).toContainText("from the second");
  await expect.poll(() => stored(page, server.base, "main.py")).toContain("from the second");
  expect(await stored(page, server.base, "main.py")).toContain("from the first");
});

const text = (page: Page) => page.locator(".monaco-editor .view-lines").first();

/** Types over the first line while the server does not answer, as another one writes it too. */
async function conflict(page: Page, base: string, cut: () => void, mend: () => void): Promise<void> {
  await put(page, base, "notes.txt", "first\nsecond\n");
  await edit(page, /notes\.txt/, "first");
  cut();
  await page.keyboard.type("mine ");
  await expect(page.getByText("Offline – edits are kept")).toBeVisible();
  await put(page, base, "notes.txt", "theirs\nsecond\n");
  mend();
  await expect(page.getByText("This file changed elsewhere")).toBeVisible();
}

test("a conflict is shown, and mine or theirs stays as it is chosen", async ({ page, server, wire }) => {
  await register(page, wire.base);
  await openPython(page);
  const [cut, mend] = [() => wire.cut(), () => wire.mend()];
  await conflict(page, server.base, cut, mend);
  await page.getByRole("button", { name: "Compare" }).click();
  await expect(page.locator(".editor-compare")).toContainText("theirs");
  // What changes while the difference is shown is shown, and the choice is for it.
  await put(page, server.base, "notes.txt", "theirs again\nsecond\n");
  await expect(page.locator(".editor-compare")).toContainText("theirs again");
  await accessible(page);
  await page.screenshot({ path: "results/conflict.png" });
  await expect(page.getByRole("tab", { name: "notes.txt, Conflict" })).toBeVisible();
  await expect(page.getByRole("treeitem", { name: "notes.txt, Conflict" })).toBeVisible();
  await expect(page.getByText("1 conflict")).toBeVisible();
  await page.getByRole("button", { name: "Keep mine" }).click();
  await expect.poll(() => stored(page, server.base, "notes.txt")).toBe("mine first\nsecond\n");
  await expect(page.getByText("This file changed elsewhere")).toBeHidden();

  await page.getByRole("tab", { name: "notes.txt" }).click();
  await conflict(page, server.base, cut, mend);
  await page.keyboard.press("Alt+F3");
  await expect(page.locator(".editor-compare")).toContainText("theirs");
  await act(page, "Take theirs");
  await expect(text(page)).toContainText("theirs");
  await expect(text(page)).not.toContainText("mine");
  expect(await stored(page, server.base, "notes.txt")).toBe("theirs\nsecond\n");
});

test("a file deleted while it is open stays deleted until it is brought back", async ({ page, server }) => {
  await register(page, server.base);
  await openPython(page);
  await put(page, server.base, "notes.txt", "first\n");
  await edit(page, /notes\.txt/, "first");
  await remove(page, server.base, "notes.txt");
  await expect(page.getByText("This file was deleted")).toBeVisible();
  await page.keyboard.press("Control+s");
  await page.keyboard.type("typed after ");
  await page.keyboard.press("Control+s");
  await expect(page.getByRole("tab", { name: "notes.txt, Unsaved" })).toBeVisible();
  // A write elsewhere is seen after it: by then a save would have been, too.
  await put(page, server.base, "later.txt", "x");
  await expect(page.getByRole("treeitem", { name: "later.txt" })).toBeVisible();
  expect(await stored(page, server.base, "notes.txt")).toContain("not_found");
  await page.screenshot({ path: "results/deleted.png" });
  await page.getByRole("button", { name: "Bring the file back" }).click();
  await expect.poll(() => stored(page, server.base, "notes.txt")).toBe("typed after first\n");
  await expect(page.getByText("This file was deleted")).toBeHidden();
});

test("a file renamed while it is unsaved takes its edit along", async ({ page, server }) => {
  await register(page, server.base);
  await openPython(page);
  await put(page, server.base, "before.txt", "first\n");
  await edit(page, /before\.txt/, "first");
  await page.keyboard.type("typed ");
  await page.getByRole("treeitem", { name: /before\.txt/ }).click();
  await page.getByRole("tree", { name: "Files" }).focus();
  await page.keyboard.press("F2");
  await page.keyboard.press("Control+a");
  await page.keyboard.type("after.txt");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("tab", { name: "after.txt" })).toBeVisible();
  await expect.poll(() => stored(page, server.base, "after.txt")).toBe("typed first\n");
  expect(await stored(page, server.base, "before.txt")).toContain("not_found");
});

test("an edit in a tab closed while offline is on the server when it is back", async ({ page, server, wire }) => {
  await register(page, wire.base);
  await openPython(page);
  await edit(page, /main\.py/, "import pandas");
  wire.cut();
  await page.keyboard.type("# closed while offline\n");
  await expect(page.getByText("Offline – edits are kept")).toBeVisible();
  await page.keyboard.press("Alt+w");
  await expect(page.getByRole("tab", { name: /main\.py/ })).toHaveCount(0);
  await expect(page.getByRole("treeitem", { name: "main.py, Waits for the server" })).toBeVisible();
  wire.mend();
  await expect.poll(() => stored(page, server.base, "main.py")).toContain("# closed while offline");
});

test("a workspace that is not there has a screen that says so", async ({ page, server }) => {
  await register(page, server.base);
  await page.goto(`${server.base}/w/0190a5c4-7a5e-7000-8000-000000000000`);
  await expect(page.getByRole("heading", { name: "This workspace is not there" })).toBeVisible();
  await accessible(page);
  await page.getByRole("link", { name: "Show all workspaces" }).click();
  await expect(page.getByRole("heading", { name: "Workspaces", exact: true })).toBeVisible();
});
