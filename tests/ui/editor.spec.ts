// The editor: what is shown of a file, what is found again, and what the language services say.
import { expect, type Page } from "@playwright/test";
import { test } from "./server.ts";
import { accessible, edit, openPython, put, register, stored } from "./steps.ts";

const text = (page: Page) => page.locator(".monaco-editor .view-lines").first();

test("tabs, cursor and scroll are found again after a reload, and lately closed files are offered", async ({
  page,
  server,
}) => {
  await register(page, server.base);
  await openPython(page);
  const rows = Array.from({ length: 300 }, (_, row) => `line_${row + 1} = ${row + 1}`).join("\n");
  await put(page, server.base, "long.py", rows);
  await page.getByRole("treeitem", { name: "long.py" }).dblclick();
  await expect(text(page)).toContainText("line_1 =");
  await page.getByRole("treeitem", { name: "main.py" }).click();
  await expect(page.getByRole("tab", { name: "main.py" })).toHaveAttribute("aria-selected", "true");
  await page.getByRole("tab", { name: "long.py" }).click();
  await text(page).click();
  await page.keyboard.press("Control+End");
  await expect(page.getByText("Ln 300, Col")).toBeVisible();
  await page.screenshot({ path: "results/editor.png" });
  await page.reload();
  await expect(page.getByRole("tab", { name: "long.py" })).toHaveAttribute("aria-selected", "true");
  await expect(page.getByRole("tablist", { name: "Open files" }).getByRole("tab")).toHaveCount(2);
  await expect(text(page)).toContainText("line_300");
  await expect(page.getByText("Ln 300, Col")).toBeVisible();
  for (const name of ["long.py", "main.py"]) {
    await page.getByRole("tab", { name }).click();
    await page.keyboard.press("Alt+w");
    await expect(page.getByRole("tab", { name })).toHaveCount(0);
  }
  const lately = page.getByRole("region", { name: "Recent files" });
  await expect(lately.getByRole("button", { name: "long.py" })).toBeVisible();
  await accessible(page);
  await page.screenshot({ path: "results/editor-empty.png" });
  await lately.getByRole("button", { name: "long.py" }).click();
  await expect(text(page)).toContainText("line_1 =");
});

test("what was typed a moment before a reload is there after it", async ({ page, server }) => {
  await register(page, server.base);
  await openPython(page);
  await edit(page, /main\.py/, "import pandas");
  await page.keyboard.type("# typed last\n");
  await page.reload();
  await expect.poll(() => stored(page, server.base, "main.py")).toContain("# typed last");
});

test("an edit that an earlier version of the page kept is found", async ({ page, server }) => {
  await register(page, server.base);
  await openPython(page);
  const workspace = page.url();
  const id = workspace.slice(workspace.lastIndexOf("/") + 1);
  const file = await page.request.get(`${server.base}/api/v1/workspaces/${id}/files/main.py`);
  const base = (file.headers().etag ?? "").replaceAll('"', "");
  const baseText = await file.text();
  const text = `# kept long ago\n${baseText}`;
  // A page of the same origin that holds no drafts open.
  await page.goto(`${server.base}/livez`);
  await page.evaluate(
    (draft) =>
      new Promise<void>((done, fail) => {
        indexedDB.deleteDatabase("slipway-drafts");
        const opening = indexedDB.open("slipway-drafts", 1);
        opening.onupgradeneeded = () => {
          const keyPath = ["workspace", "path", "base", "tab"];
          opening.result.createObjectStore("drafts", { keyPath }).put(draft);
        };
        opening.onsuccess = () => {
          opening.result.close();
          done();
        };
        opening.onerror = () => fail(opening.error);
      }),
    { workspace: id, path: "main.py", base, baseText, text, tab: "gone", at: 1 },
  );
  await page.goto(workspace);
  await expect.poll(() => stored(page, server.base, "main.py")).toBe(text);
});

test("words of the text are offered in sight, Tab takes one, and Enter ends the line", async ({ page, server }) => {
  await register(page, server.base);
  await openPython(page);
  await edit(page, /main\.py/, "import pandas");
  await page.keyboard.type("pand");
  const offered = page.locator(".suggest-widget.visible .monaco-list-row .monaco-icon-label", { hasText: "pandas" });
  await expect(offered).toBeVisible();
  const box = await offered.locator(".label-name").boundingBox();
  expect(box?.width).toBeGreaterThan(20);
  const row = await page.locator(".suggest-widget .monaco-list-row", { hasText: "pandas" }).boundingBox();
  // In the row, not below what is cut off of it.
  expect((box?.y ?? 0) + (box?.height ?? 0)).toBeLessThanOrEqual((row?.y ?? 0) + (row?.height ?? 0) + 1);
  await page.screenshot({ path: "results/editor-words.png" });
  // What was typed so far is a word of the text, too, once the worker has heard of it.
  const chosen = page.locator(".suggest-widget .monaco-list-row.focused");
  while (!(await chosen.innerText()).includes("pandas")) await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Tab");
  await page.keyboard.type(".x\npand");
  await expect(offered).toBeVisible();
  await page.keyboard.press("Enter");
  await page.keyboard.type("print(1)\n");
  await expect.poll(() => stored(page, server.base, "main.py")).toMatch(/^pandas\.x\npand\nprint\(1\)\n/);
});

test("Python needs no TypeScript service; TypeScript shows its errors and no false ones", async ({ page, server }) => {
  const workers: string[] = [];
  page.on("worker", (worker) => workers.push(worker.url()));
  await register(page, server.base);
  await openPython(page);
  await put(page, server.base, "greet.ts", "export function greet(name: string): string {\n  return name;\n}\n");
  await put(
    page,
    server.base,
    "view.tsx",
    'import { greet } from "./greet";\nimport { useState } from "react";\nimport data from "./data.json";\n' +
      "export function View() {\n  const [n] = useState(0);\n  return <p className={data.name}>{greet(String(n))}</p>;\n}\n",
  );
  await put(page, server.base, "wrong.ts", 'export const count: number = "many";\n');
  await edit(page, /main\.py/, "import pandas");
  await page.keyboard.type("# enough to wake whatever would wake\n");
  await expect.poll(() => stored(page, server.base, "main.py")).toContain("enough to wake");
  expect(workers.filter((url) => /ts\.worker/.test(url))).toEqual([]);

  await page.getByRole("treeitem", { name: "wrong.ts" }).dblclick();
  await expect(page.locator(".squiggly-error")).toHaveCount(1, { timeout: 60_000 });
  expect(workers.filter((url) => /ts\.worker/.test(url))).toHaveLength(1);
  await page.screenshot({ path: "results/editor-typescript.png" });
  await page.getByRole("treeitem", { name: "view.tsx" }).dblclick();
  await expect(text(page)).toContainText("useState");
  // The service has spoken of this file when it marks a mistake that is made now.
  await text(page).click();
  await page.keyboard.press("Control+End");
  await page.keyboard.type("const wrong: number = 'x';\n");
  await expect(page.locator(".squiggly-error")).toHaveCount(1, { timeout: 60_000 });
});

test("pictures are shown, other bytes and encodings are described", async ({ page, server }) => {
  await register(page, server.base);
  await openPython(page);
  const dot = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
  await put(page, server.base, "dot.png", Buffer.from(dot, "base64"));
  await put(page, server.base, "data.bin", Buffer.from([0, 1, 2, 3]));
  await put(page, server.base, "latin.txt", Buffer.from([0x63, 0x61, 0x66, 0xe9]));
  await put(page, server.base, "large.txt", "0123456789abcde\n".repeat(400_000));
  await page.getByRole("treeitem", { name: "dot.png" }).click();
  await expect(page.getByRole("img", { name: "dot.png" })).toBeVisible();
  await expect(page.getByText("1 × 1")).toBeVisible();
  await accessible(page);
  await page.screenshot({ path: "results/editor-picture.png" });
  await page.getByRole("treeitem", { name: "data.bin" }).click();
  await expect(page.getByText("4 B of binary data")).toBeVisible();
  await page.getByRole("treeitem", { name: "latin.txt" }).click();
  await expect(page.getByText("This text is not UTF-8")).toBeVisible();
  await page.getByRole("treeitem", { name: "large.txt" }).click();
  await expect(page.getByText("opens for reading only")).toBeVisible();
});
