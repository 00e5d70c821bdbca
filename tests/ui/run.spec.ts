// Runs: answered, stopped, out of memory, with a missing package, with a picture.
import { expect } from "@playwright/test";
import { test } from "./server.ts";
import { accessible, goTo, openPython, put, register, screen } from "./steps.ts";

const PICTURE = `
import base64, pathlib
pathlib.Path("figures").mkdir(exist_ok=True)
pathlib.Path("figures/dot.png").write_bytes(base64.b64decode(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="))
print("drawn", 40 + 2)
`;

const HOG = `
import time
kept = []
while True:
    kept.append(bytearray(24 * 1024 * 1024))
    for at in range(0, len(kept[-1]), 4096):
        kept[-1][at] = 1
    time.sleep(0.4)
`;

test("a program that asks is answered", async ({ page, server }) => {
  await register(page, server.base);
  await openPython(page);
  await put(page, server.base, "ask.py", 'name = input("Who is there? ")\nprint("Hello,", name.upper())\n');
  await goTo(page, "ask.py");
  await page.getByRole("button", { name: "Run ask.py" }).click();
  await expect(screen(page)).toContainText("Who is there?", { timeout: 60_000 });
  await accessible(page);
  // The focus went along with the run.
  await page.keyboard.type("harbour\n");
  await expect(screen(page)).toContainText("Hello, HARBOUR");
  await expect(page.getByRole("button", { name: "Run again" })).toBeVisible();
  // The kept output holds the question, the answer and what came of it.
  await expect(screen(page)).toContainText("Who is there? harbour");
});

test("a run that is begun in the editor leaves the focus there, and a key leads to its program", async ({
  page,
  server,
}) => {
  await register(page, server.base);
  await openPython(page);
  await put(page, server.base, "ask.py", 'print("Hello,", input("Who is there? ").upper())\n');
  await goTo(page, "ask.py");
  const editor = page.locator(".monaco-editor .native-edit-context");
  await expect(editor).toBeFocused();
  await page.keyboard.press("Control+F5");
  await expect(screen(page)).toContainText("Who is there?", { timeout: 60_000 });
  await expect(page.getByRole("button", { name: "Click here, or press Alt+I, to type" })).toBeVisible();
  await expect(page.locator(".panel .xterm-cursor-outline")).toBeVisible();
  await expect(editor).toBeFocused();
  await accessible(page);
  await page.keyboard.press("Alt+i");
  await page.keyboard.type("harbour\n");
  await expect(screen(page)).toContainText("Hello, HARBOUR");
});

test("stopping says how far it has come, and the next run begins anew", async ({ page, server }) => {
  await register(page, server.base);
  await openPython(page);
  const deaf = "import signal, time\nfor s in (signal.SIGINT, signal.SIGTERM):\n    signal.signal(s, signal.SIG_IGN)\n";
  await put(page, server.base, "deaf.py", `${deaf}print("deaf", flush=True)\ntime.sleep(600)\n`);
  await goTo(page, "deaf.py");
  await page.getByRole("button", { name: "Run deaf.py" }).click();
  await expect(screen(page)).toContainText("deaf", { timeout: 60_000 });
  const panel = page.getByRole("region", { name: "Panel" });
  await panel.getByRole("button", { name: "Stop", exact: true }).click();
  await expect(panel.getByText("Interrupted, waiting")).toBeVisible();
  await panel.getByRole("button", { name: "Terminate now" }).click();
  await panel.getByRole("button", { name: "Kill now" }).click();
  await expect(panel.getByText(/signal 9|Killed|memory/i).first()).toBeVisible({ timeout: 30_000 });
  await panel.getByRole("button", { name: "Run again" }).click();
  await expect(panel.getByRole("button", { name: "Stop", exact: true })).toBeVisible({ timeout: 30_000 });
});

test("a program that asks for too much memory is explained", async ({ page, server }) => {
  await register(page, server.base);
  await openPython(page);
  await put(page, server.base, "hog.py", HOG);
  await goTo(page, "hog.py");
  await page.getByRole("button", { name: "Run hog.py" }).click();
  await expect(page.getByText("Out of memory: it was ended (exit code 137).")).toBeVisible({ timeout: 90_000 });
  await expect(page.getByRole("img", { name: /Memory went from \d+ to \d+ MiB/ })).toBeVisible();
  await accessible(page);
  await page.screenshot({ path: "results/run-memory.png" });
});

test("a package that is missing is installed by one click", async ({ page, server }) => {
  await register(page, server.base);
  await openPython(page);
  await put(page, server.base, "needs.py", "import iniconfig\nprint('found', iniconfig.__name__)\n");
  await goTo(page, "needs.py");
  await page.getByRole("button", { name: "Run needs.py" }).click();
  const install = page.getByRole("button", { name: "pip install iniconfig" });
  await expect(install).toBeVisible({ timeout: 60_000 });
  await install.click();
  await expect(screen(page)).toContainText("Successfully installed iniconfig", { timeout: 90_000 });
  await page.getByRole("button", { name: "Run needs.py" }).click();
  await expect(screen(page)).toContainText("found iniconfig", { timeout: 60_000 });
});

test("a picture that a run drew stands beside its output", async ({ page, server }) => {
  await register(page, server.base);
  await openPython(page);
  await put(page, server.base, "draw.py", PICTURE);
  await goTo(page, "draw.py");
  await page.getByRole("button", { name: "Run draw.py" }).click();
  await expect(screen(page)).toContainText("drawn 42", { timeout: 60_000 });
  await expect(page.getByRole("img", { name: "What the run drew: figures/dot.png" })).toBeVisible();
  await accessible(page);
  await page.screenshot({ path: "results/run-picture.png" });
  await page.getByRole("button", { name: "Open figures/dot.png" }).click();
  await expect(page.getByRole("tab", { name: "dot.png" })).toBeVisible();
});
