// What journeys are made of: the steps of a person at the screen.
import AxeBuilder from "@axe-core/playwright";
import { expect, type Locator, type Page } from "@playwright/test";

export const PASSWORD = "quiet tide at seven bells";

/** Registers the first account and lands on the list of workspaces. */
export async function register(page: Page, base: string): Promise<void> {
  await page.goto(base);
  await page.getByLabel("Name", { exact: true }).fill("Mo");
  await page.getByLabel("E-mail").fill("mo@example.org");
  await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
  await page.getByRole("button", { name: "Register", exact: true }).click();
  await expect(page.getByRole("heading", { name: "Workspaces", exact: true })).toBeVisible();
}

/** Makes a workspace from the Python template and waits for its files. */
export async function openPython(page: Page): Promise<void> {
  await page.getByRole("button", { name: /Python data/ }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Create" }).click();
  await expect(page.getByRole("treeitem", { name: /main\.py/ })).toBeVisible();
}

/** Nothing that axe finds on the screen as it is. */
export async function accessible(page: Page): Promise<void> {
  // What is still fading in has the contrast of neither state.
  await page.evaluate(() => {
    const ends = (animation: Animation) => animation.effect?.getComputedTiming().iterations !== Number.POSITIVE_INFINITY;
    return Promise.allSettled(document.getAnimations().filter(ends).map((animation) => animation.finished)).then(() => null);
  });
  // xterm's and Monaco's insides are theirs; what we put around them is ours.
  const found = await new AxeBuilder({ page }).exclude(".xterm").exclude(".monaco-editor").analyze();
  const words = found.violations.map((one) => `${one.id}: ${one.nodes.map((node) => node.html).join(" ")}`);
  expect(words).toEqual([]);
}

/** Opens a file of the tree and puts the caret at its start, which is always on the screen. */
export async function edit(page: Page, name: RegExp, holds: string): Promise<void> {
  await page.getByRole("treeitem", { name }).dblclick();
  const lines = page.locator(".monaco-editor .view-lines").first();
  await expect(lines).toContainText(holds);
  await lines.click();
  await page.keyboard.press("Control+Home");
}

/** A new terminal whose shell answers, with the focus in it. */
export async function openTerminal(page: Page): Promise<void> {
  await page.getByRole("button", { name: "New terminal" }).first().click();
  await expect(page.locator(".xterm-rows").first()).toContainText("$", { timeout: 60_000 });
  await page.locator(".xterm").first().click();
}

/** The content of a file as the server has it. */
export async function stored(page: Page, base: string, path: string): Promise<string> {
  return (await page.request.get(await fileUrl(page, base, path))).text();
}

/** Writes a file past the page, as a program in the session or another person would. */
export async function put(page: Page, base: string, path: string, content: string | Buffer): Promise<void> {
  const answer = await page.request.put(await fileUrl(page, base, path), {
    data: content,
    headers: { origin: base, "content-type": "application/octet-stream", "if-match": "*" },
  });
  expect(answer.ok(), await answer.text()).toBe(true);
}

/** Deletes a file past the page. */
export async function remove(page: Page, base: string, path: string): Promise<void> {
  const headers = { origin: base, "if-match": "*" };
  const answer = await page.request.delete(await fileUrl(page, base, path), { headers });
  expect(answer.ok(), await answer.text()).toBe(true);
}

async function fileUrl(page: Page, base: string, path: string): Promise<string> {
  const list = await (await page.request.get(`${base}/api/v1/workspaces`)).json();
  const escaped = path.split("/").map(encodeURIComponent).join("/");
  return `${base}/api/v1/workspaces/${list.workspaces[0].id}/files/${escaped}`;
}

/** Opens a file by the command box. */
export async function goTo(page: Page, path: string): Promise<void> {
  await page.keyboard.press("Control+P");
  const box = page.getByRole("dialog", { name: "Search files and commands" });
  await box.getByRole("combobox").fill(path);
  await expect(box.getByRole("option").first()).toContainText(path.split("/").at(-1) ?? path);
  await page.keyboard.press("Enter");
  await expect(page.getByRole("tab", { name: path.split("/").at(-1) ?? path, selected: true })).toBeVisible();
}

/** Takes an action of the command box. */
export async function act(page: Page, title: string): Promise<void> {
  await page.keyboard.press("F1");
  const box = page.getByRole("dialog", { name: "Search files and commands" });
  await box.getByRole("combobox").fill(`>${title}`);
  await box.getByRole("option", { name: title }).first().click();
}

/** What the visible terminal shows. */
export function screen(page: Page) {
  return page.locator(".panel .xterm-rows").first();
}

/** Tab until it has the focus; a page on which that takes longer is broken. */
export async function tabTo(page: Page, target: Locator): Promise<void> {
  // Monaco's own place for keys is there, and nothing of it is seen.
  await expect(target).toBeAttached();
  for (let press = 0; press < 60; press += 1) {
    if (await target.evaluate((element) => element === document.activeElement)) return;
    await page.keyboard.press("Tab");
  }
  throw new Error("it cannot be reached by Tab");
}
