// The list of workspaces and the account, as a person uses them: every act on a workspace, devices, password, sign-out.
import { expect, type Page } from "@playwright/test";
import { test } from "./server.ts";
import { openPython, PASSWORD, register } from "./steps.ts";

const link = (page: Page, name: string) => page.getByRole("link", { name, exact: true });

async function act(page: Page, row: string, what: string): Promise<void> {
  await page.getByRole("button", { name: `Actions for ${row}`, exact: true }).click();
  await page.getByRole("menuitem", { name: new RegExp(`^${what}`) }).click();
}

async function answer(page: Page, text: string, yes: string): Promise<void> {
  await page.getByRole("dialog").getByRole("textbox").fill(text);
  await page.getByRole("dialog").getByRole("button", { name: yes }).click();
}

test("rename, duplicate, export, import, archive, trash and back", async ({ page, server }) => {
  await register(page, server.base);
  await openPython(page);
  await page.getByRole("link", { name: "All workspaces" }).click();
  await act(page, "python-data", "Rename");
  await answer(page, "tides", "Rename");
  await expect(link(page, "tides")).toBeVisible();
  await act(page, "tides", "Duplicate");
  await answer(page, "tides two", "Duplicate");
  await expect(link(page, "tides two")).toBeVisible();

  const saving = page.waitForEvent("download");
  await act(page, "tides", "Export as zip");
  const zip = test.info().outputPath("tides.zip");
  await (await saving).saveAs(zip);
  const choosing = page.waitForEvent("filechooser");
  await page.getByRole("button", { name: "Import", exact: true }).click();
  await (await choosing).setFiles(zip);
  await answer(page, "tides three", "Import");
  await expect(link(page, "tides three")).toBeVisible();
  const list = await (await page.request.get(`${server.base}/api/v1/workspaces`)).json();
  const brought = list.workspaces.find((row: { name: string }) => row.name === "tides three");
  const file = await page.request.get(`${server.base}/api/v1/workspaces/${brought.id}/files/main.py`);
  expect(await file.text()).toContain("import pandas");

  await act(page, "tides two", "Archive");
  await expect(page.getByRole("button", { name: /^Archived/ })).toContainText("1");
  await expect(link(page, "tides two")).toBeHidden();

  await act(page, "tides", "Delete");
  const gone = page.getByRole("dialog").getByRole("button", { name: "Delete workspace" });
  await expect(gone).toBeDisabled();
  await page.getByRole("dialog").getByRole("textbox").fill("tides");
  await gone.click();
  await expect(link(page, "tides")).toBeHidden();
  await page.getByRole("button", { name: /^Trash/ }).click();
  await expect(page.getByText(/goes in (29|30) days/)).toBeVisible();
  await act(page, "tides", "Bring back");
  await expect(page.getByText("The trash is empty")).toBeVisible();
  await page.getByRole("button", { name: /^All/ }).click();
  await expect(link(page, "tides")).toBeVisible();
});

test("a list that is open elsewhere follows", async ({ page, server }) => {
  await register(page, server.base);
  const other = await page.context().newPage();
  await other.goto(server.base);
  await expect(other.getByText("No workspaces yet")).toBeVisible();
  const json = { name: "from elsewhere", template: "empty" };
  await page.request.post(`${server.base}/api/v1/workspaces`, {
    data: json,
    headers: { origin: server.base },
  });
  await expect(link(other, "from elsewhere")).toBeVisible();
});

test("devices are listed and signed out, and a new password ends the others", async ({ page, server, playwright }) => {
  await register(page, server.base);
  const device = async (secret: string) => {
    const made = await playwright.request.newContext({
      baseURL: server.base,
      extraHTTPHeaders: { origin: server.base },
      userAgent: "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:150.0) Gecko/20100101 Firefox/150.0",
    });
    const answer = await made.post("/api/v1/sign-in", { data: { email: "mo@example.org", password: secret } });
    expect(answer.ok()).toBe(true);
    return made;
  };
  const first = await device(PASSWORD);
  await page.goto(`${server.base}/account`);
  const devices = page.getByRole("list", { name: "Devices" });
  await expect(devices.getByText("This device")).toHaveCount(1);
  await devices.getByRole("button", { name: "Sign out" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Sign out" }).click();
  await expect(page.getByText("No other device is signed in.")).toBeVisible();
  expect((await first.get("/api/v1/account")).status()).toBe(401);

  const second = await device(PASSWORD);
  await page.getByRole("textbox", { name: "Current password" }).fill("not this one");
  await page.getByRole("textbox", { name: "New password" }).fill("slack water before noon");
  await page.getByRole("button", { name: "Change password" }).click();
  const now = page.getByRole("textbox", { name: "Current password" });
  await expect(now).toHaveAccessibleDescription(/./);
  await expect(now).toBeFocused();
  await now.fill(PASSWORD);
  await page.getByRole("button", { name: "Change password" }).click();
  await expect(page.getByText("The password is changed")).toBeVisible();
  expect((await second.get("/api/v1/account")).status()).toBe(401);
  await device("slack water before noon");
});

test("without the server nobody is signed out, and the page says so", async ({ page, server, wire }) => {
  await register(page, wire.base);
  const leave = async () => {
    await page.getByRole("button", { name: /Account of Mo/ }).click();
    await page.getByRole("menuitem", { name: "Sign out" }).click();
  };
  wire.cut();
  await expect(page.getByText("Offline")).toBeVisible();
  await leave();
  await expect(page.getByText("You are still signed in")).toBeVisible();
  await expect(page.getByRole("heading", { name: "Workspaces", exact: true })).toBeVisible();
  wire.mend();
  await expect(page.getByText("Online")).toBeVisible();
  await page.getByRole("button", { name: "Try again" }).first().click();
  await expect(page.getByLabel("E-mail")).toBeVisible();
  expect((await page.request.get(`${server.base}/api/v1/account`)).status()).toBe(401);
});

test("an account ends with its address and password typed", async ({ page, server }) => {
  await register(page, server.base);
  await page.goto(`${server.base}/account`);
  const end = page.getByRole("button", { name: "Delete account and all workspaces" });
  await expect(end).toBeDisabled();
  await page.getByLabel("Type mo@example.org to confirm").fill("mo@example.org");
  await page.getByRole("textbox", { name: "Password", exact: true }).fill(PASSWORD);
  await end.click();
  await expect(page.getByLabel("E-mail")).toBeVisible();
});
