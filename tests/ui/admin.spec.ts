// An administrator closes registration, gives a forgotten password anew, and keeps somebody out.
import { expect } from "@playwright/test";
import { test } from "./server.ts";
import { register } from "./steps.ts";

test("registration, passwords and access of others", async ({ page, server, playwright, browser }) => {
  await register(page, server.base);
  const visitor = await playwright.request.newContext({
    baseURL: server.base,
    extraHTTPHeaders: { origin: server.base },
  });
  const ana = { name: "Ana", email: "ana@example.org", password: "low water at four bells" };
  expect((await visitor.post("/api/v1/accounts", { data: ana })).ok()).toBe(true);
  await page.goto(`${server.base}/administration`);
  const row = page.getByRole("listitem", { name: "Ana" });
  const yes = (name: string) => page.getByRole("dialog").getByRole("button", { name }).click();
  await row.getByRole("button", { name: "Reset password" }).click();
  await yes("Reset password");
  const password = (await row.getByRole("status").locator("code").textContent()) ?? "";
  expect((await visitor.get("/api/v1/account")).status()).toBe(401);
  const signIn = (secret: string) =>
    visitor.post("/api/v1/sign-in", { data: { email: ana.email, password: secret } });
  expect((await signIn(ana.password)).ok()).toBe(false);
  expect((await signIn(password)).ok()).toBe(true);
  await row.getByRole("button", { name: "Disable" }).click();
  await yes("Disable account");
  await expect(row).toContainText("Disabled");
  expect((await visitor.get("/api/v1/account")).ok()).toBe(false);
  await page.getByLabel("Search people").fill("nobody of this name");
  await expect(page.getByText("Nobody fits")).toBeVisible();
  await page.getByLabel("New accounts may register").uncheck();
  await expect(page.getByText("Registration is closed.")).toBeVisible();
  const bo = { ...ana, name: "Bo", email: "bo@example.org" };
  expect((await visitor.post("/api/v1/accounts", { data: bo })).ok()).toBe(false);

  const stranger = await browser.newPage();
  await stranger.goto(server.base);
  await stranger.getByRole("button", { name: "New account" }).click();
  await expect(stranger.getByText("has closed registration")).toBeVisible();
  await stranger.close();
});
