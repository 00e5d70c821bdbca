// The server or its database goes away while somebody works: it is said calmly, what is typed is kept, and saved later.
import { expect, type Page } from "@playwright/test";
import { test } from "./server.ts";
import { accessible, edit, openPython, register, stored } from "./steps.ts";

const text = (page: Page) => page.locator(".monaco-editor .view-lines").first();

test("edits are kept while the database is away, over a reload as well", async ({ page, server }) => {
  await register(page, server.base);
  await openPython(page);
  await edit(page, /main\.py/, "import pandas");
  server.loseDatabase();
  await page.keyboard.type("# typed without a database\n");
  await expect(page.getByRole("button", { name: "1 edit waiting" })).toBeVisible();
  await expect(page.getByText("It is kept on this computer")).toBeVisible();
  await expect(page.getByText("Server has no database – edits are kept")).toBeVisible();
  await expect(page.locator(".file-banner, .toast")).toHaveCount(0);
  await accessible(page);
  await page.screenshot({ path: "results/database-away.png" });
  await page.reload();
  await expect(text(page)).toContainText("typed without a database");
  await expect(page.getByText("Server has no database – edits are kept")).toBeVisible();
  await expect(page.getByText("The files as they were last seen")).toBeVisible();
  await expect(page.getByRole("treeitem", { name: "requirements.txt" })).toBeVisible();
  await page.screenshot({ path: "results/database-away-reloaded.png" });
  server.letDatabase();
  await expect(page.getByRole("button", { name: "Synced" })).toBeVisible({ timeout: 60_000 });
  await expect(page.locator(".statusbar").getByText("Online")).toBeVisible();
  await expect(page.getByRole("treeitem", { name: "main.py" })).toBeVisible();
  expect(await stored(page, server.base, "main.py")).toContain("typed without a database");
});

test.describe("with the page kept in the browser", () => {
  test.use({ serviceWorkers: "allow" });

  test("a reload without a server shows the page, its files and what was typed", async ({ page, server }) => {
    await register(page, server.base);
    await openPython(page);
    await edit(page, /main\.py/, "import pandas");
    await page.evaluate(() => navigator.serviceWorker.ready.then(() => null));
    await server.kill();
    await page.keyboard.type("# typed without a server\n");
    await expect(page.getByText("Offline – edits are kept")).toBeVisible();
    await page.reload();
    await expect(text(page)).toContainText("typed without a server");
    await expect(page.getByText("Offline – edits are kept")).toBeVisible();
    const lastSeen = page.getByText("The files as they were last seen");
    await expect(lastSeen).toBeVisible();
    await page.getByRole("treeitem", { name: "README.md" }).dblclick();
    await expect(page.getByRole("heading", { name: "This file is not kept here" })).toBeVisible();
    await accessible(page);
    await page.screenshot({ path: "results/reloaded-offline.png" });
    await page.getByRole("treeitem", { name: /main\.py/ }).dblclick();
    await expect(text(page)).toContainText("typed without a server");
    await page.getByRole("tab", { name: "README.md" }).click();
    await server.start();
    await expect(page.getByText("Online")).toBeVisible({ timeout: 60_000 });
    await expect.poll(() => stored(page, server.base, "main.py")).toContain("typed without a server");
    await expect(lastSeen).toHaveCount(0);
    await expect(page.getByRole("treeitem", { name: "main.py" })).toBeVisible();
    // What could not be opened is opened by itself.
    await expect(page.getByRole("heading", { name: "This file is not kept here" })).toHaveCount(0);
    await expect(text(page)).not.toHaveText("");
  });

  test("the kept page never stands in the way of the server's, nor holds anything of the API", async ({
    page,
    server,
  }) => {
    await register(page, server.base);
    await page.evaluate(() => navigator.serviceWorker.ready.then(() => null));
    await page.reload();
    await expect(page.getByRole("heading", { name: "Workspaces", exact: true })).toBeVisible();
    const kept = await page.evaluate(async () => {
      const names = await caches.keys();
      const requests = await Promise.all(names.map(async (name) => (await caches.open(name)).keys()));
      return requests.map((list) => list.map((request) => new URL(request.url).pathname));
    });
    expect(kept).toHaveLength(1);
    expect(kept.flat()).toContain("/");
    expect(kept.flat().filter((path) => !/^\/($|assets\/|boot\.js$|icon\.svg$)/.test(path))).toEqual([]);
    await page.request.post(`${server.base}/api/v1/sign-out`, { headers: { origin: server.base } });
    await page.reload();
    await expect(page.getByRole("button", { name: "Sign in", exact: true })).toBeVisible();
  });
});
