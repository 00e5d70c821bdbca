// Every screen in both themes and two sizes: nothing that axe finds, and a picture to look at.
import { expect, type Page } from "@playwright/test";
import { test } from "./server.ts";
import { accessible, edit, goTo, openPython, openTerminal, put, register, screen } from "./steps.ts";

const WIDE = { width: 1440, height: 900 };
const SIZES = [WIDE, { width: 900, height: 700 }];

type Theme = "dark" | "light";

/** Looks at the screen in both sizes, or in one; ends in the larger one. */
function looker(page: Page, theme: Theme) {
  return async (name: string, sizes = SIZES) => {
    for (const size of [...sizes].reverse()) {
      await page.setViewportSize(size);
      await accessible(page);
      await page.screenshot({ path: `results/${name}-${theme}-${size.width}.png` });
    }
  };
}

/** What a session is told to be while it starts or after it ended; its times are of now. */
function sessionThat(state: "starts" | "ran-out" | "failed") {
  const ago = (ms: number) => new Date(Date.now() - ms).toISOString();
  const done = (name: string, ms: number, detail: string) => ({ name, ms, detail, started_at: ago(900) });
  const stages = [
    done("accepted", 8, "session 7f3a"),
    done("queue", 0, "no wait"),
    done("image", 1, "Python 3.11, Node 20"),
    done("place", 92, "half a core, 512 MiB"),
    done("agent", 31, ""),
  ];
  const whole = {
    id: "0190a5c4-7a5e-7000-8000-0000000000aa",
    workspace: "0190a5c4-7a5e-7000-8000-0000000000ab",
    keep_until_done: false,
    memory_bytes: 512 * 1024 * 1024,
    disk_bytes: 1024 * 1024 * 1024,
    cpu_millis: 500,
    usual_start_ms: 1200,
    protections: [],
    created_at: ago(900),
  };
  if (state === "starts") {
    const files = { name: "files", detail: "163 of 214", started_at: ago(600) };
    return { ...whole, state: "provisioning", stages: [...stages, files] };
  }
  const ended = { ...whole, state: "failed", stages, ended_at: ago(0) };
  return state === "failed"
    ? { ...ended, reason: { code: "sandbox_unavailable", text: "bubblewrap is not installed on the server." } }
    : {
        ...ended,
        ready_at: ago(41_000),
        reason: { code: "out_of_memory", text: "Out of memory: main.py asked for more than 512 MiB and was ended." },
      };
}

for (const colorScheme of ["dark", "light"] as const) {
  test(`screens in the ${colorScheme} theme`, async ({ page, server }) => {
    test.setTimeout(240_000);
    await page.emulateMedia({ colorScheme });
    const look = looker(page, colorScheme);
    await page.goto(server.base);
    await expect(page.getByText("becomes its administrator")).toBeVisible();
    await look("register");
    await page.getByRole("button", { name: "I have an account" }).click();
    await page.getByLabel("E-mail").fill("mo@example.org");
    await page.getByLabel("Password", { exact: true }).fill("not this one");
    await page.getByRole("button", { name: "Sign in", exact: true }).click();
    await expect(page.getByRole("alert")).toBeVisible();
    await look("sign-in-refused");
    await register(page, server.base);
    await expect(page.getByText("No workspaces yet")).toBeVisible();
    await look("workspaces-empty");
    await page.getByRole("button", { name: "Trash" }).or(page.getByRole("button", { name: "Filters" })).first().click();
    await page.getByRole("button", { name: "Trash" }).click();
    await expect(page.getByText("The trash is empty")).toBeVisible();
    await look("trash-empty");

    await page.goto(server.base);
    await openPython(page);
    await edit(page, /main\.py/, "import pandas");
    await look("ide");
    await openTerminal(page);
    await look("ide-terminal");
    await page.keyboard.press("F1");
    await expect(page.getByRole("dialog")).toBeVisible();
    await look("palette");
    await page.keyboard.press("Escape");

    await page.goto(server.base);
    await expect(page.getByRole("link", { name: "python-data" })).toBeVisible();
    await look("workspaces");
    await page.getByRole("button", { name: "Actions for python-data" }).click();
    await expect(page.getByRole("menu")).toBeVisible();
    await accessible(page);
    await page.screenshot({ path: `results/workspaces-menu-${colorScheme}.png` });
    await page.getByRole("menuitem", { name: "Delete" }).click();
    await expect(page.getByRole("dialog")).toBeVisible();
    await look("workspaces-delete");
    await page.keyboard.press("Escape");

    await page.goto(`${server.base}/account`);
    await expect(page.getByText("This device")).toBeVisible();
    await look("account");
    await page.getByRole("button", { name: /Account of Mo/ }).click();
    await expect(page.getByRole("menu")).toBeVisible();
    await accessible(page);
    await page.getByRole("menuitem", { name: "Administration" }).click();
    await expect(page.getByRole("listitem", { name: "Mo" })).toBeVisible();
    await look("administration");
    await page.goto(`${server.base}/nowhere`);
    await expect(page.getByText("There is nothing here")).toBeVisible();
    await look("nothing-here");
  });

  test(`hard days in the ${colorScheme} theme`, async ({ page, server, wire }) => {
    test.setTimeout(240_000);
    await page.emulateMedia({ colorScheme });
    const look = looker(page, colorScheme);
    await register(page, wire.base);
    const list = "**/api/v1/workspaces?*";
    await page.route(list, (route) =>
      route.fulfill({ status: 500, json: { code: "internal", detail: "The server made a mistake. Nothing was changed." } }),
    );
    await page.reload();
    await expect(page.getByText("The workspaces could not be listed")).toBeVisible();
    await look("workspaces-error");
    await page.unroute(list);
    await page.reload();
    await openPython(page);
    await look("ide-nothing-open");

    const session = "**/api/v1/workspaces/*/session";
    for (const state of ["starts", "ran-out", "failed"] as const) {
      await page.route(session, (route) => route.fulfill({ json: sessionThat(state) }));
      await page.reload();
      await expect(page.getByRole("heading", { name: state === "starts" ? "Starting" : /[Ss]ession|server/ }).last()).toBeVisible();
      await edit(page, /main\.py/, "import pandas");
      await look(`session-${state}`);
      await page.unroute(session);
    }
    await page.reload();

    await put(page, server.base, "notes.txt", "first\nsecond\nthird\n");
    await edit(page, /notes\.txt/, "first");
    wire.cut();
    await page.keyboard.type("mine ");
    await expect(page.getByText("Offline – edits are kept")).toBeVisible();
    await look("ide-offline");
    await put(page, server.base, "notes.txt", "theirs\nsecond\nthird\n");
    wire.mend();
    await expect(page.getByText("This file changed elsewhere")).toBeVisible();
    await look("conflict");
    await page.getByRole("button", { name: "Compare" }).click();
    await expect(page.locator(".editor-compare")).toContainText("theirs");
    await look("conflict-compared");
    await page.getByRole("button", { name: "Keep mine" }).click();
    await expect(page.getByText("This file changed elsewhere")).toBeHidden();

    await goTo(page, "main.py");
    await page.keyboard.press("Control+F5");
    await expect(page.getByRole("button", { name: "Run again" })).toBeVisible({ timeout: 60_000 });
    await expect(screen(page)).toContainText("loaded");
    await look("ide-ran");
    await page.keyboard.press("Control+P");
    await page.getByRole("combobox").fill("da");
    await look("quick-open");
    await page.keyboard.press("Escape");
    await page.keyboard.press("Alt+F1");
    await look("shortcuts");
    await page.keyboard.press("Escape");
    for (const [name, button] of [
      ["menu-session", /^Session:/],
      ["menu-language", /^Language:/],
      ["menu-workspace", /^Workspace/],
    ] as const) {
      await page.getByRole("button", { name: button }).first().click();
      await expect(page.getByRole("menu")).toBeVisible();
      await page.screenshot({ path: `results/${name}-${colorScheme}-1440.png` });
      await page.keyboard.press("Escape");
    }
    await page.getByRole("treeitem", { name: /main\.py/ }).click({ button: "right" });
    await expect(page.getByRole("menu")).toBeVisible();
    await page.screenshot({ path: `results/menu-explorer-${colorScheme}-1440.png` });
    await page.keyboard.press("Escape");
    await page.getByRole("treeitem", { name: /main\.py/ }).click();
    await page.getByRole("tree").focus();
    await page.keyboard.press("F2");
    await page.keyboard.press("Control+a");
    await page.keyboard.type("README.md");
    await look("explorer-name-taken", [WIDE]);
    await page.keyboard.press("Escape");

    await page.goto(wire.base);
    await expect(page.getByRole("link", { name: "python-data" })).toBeVisible();
    wire.cut();
    await expect(page.getByText(/Offline/).first()).toBeVisible();
    await look("workspaces-offline");
    wire.mend();
  });
}
