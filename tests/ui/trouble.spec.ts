// Everything that goes wrong on the way: cut wires, killed servers, saves that do not arrive, a second tab.
import { expect } from "@playwright/test";
import { test } from "./server.ts";
import { accessible, edit, openPython, openTerminal, PASSWORD, register, stored } from "./steps.ts";

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
  await dialog.getByLabel("Password").fill("not this one");
  await dialog.getByRole("button", { name: "Sign in" }).click();
  await expect(dialog.getByRole("alert")).toContainText("do not match");
  await dialog.getByLabel("Password").fill(PASSWORD);
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
