/** The page in the desktop program: where it begins, what the program's menu and links do, and that it can be left. */
import { beforeEach, expect, test } from "vitest";
import { page, userEvent } from "vitest/browser";
import { navigate } from "wouter/use-browser-location";
import { faults, stage } from "../dev/stage";
import type { FakeState } from "../host/fake";
import type { LocalWorkspace } from "../host/generated/api/LocalWorkspace";
import { DesktopHome } from "./DesktopHome";

const WORKSPACE = "018f1000-0000-7000-8000-000000000002";
/** One that no server knows. */
const ONLY_HERE = "018f1000-0000-7000-8000-000000000003";

beforeEach(() => navigate("/"));

async function opened(
  state: FakeState = "full",
  last = "",
  before: (workspaces: LocalWorkspace[]) => void = () => undefined,
) {
  const { host } = await stage(<DesktopHome />, {
    state,
    desktop: true,
    before: async (fake) => {
      if (last !== "") fake.kept.set("slipway.desktop.last", last);
      before(fake.program?.workspaces ?? []);
    },
  });
  const { program } = host;
  if (!program) throw new Error("the fake has no desktop program");
  return { host, program };
}

test("without a workspace of yesterday it begins at the start, and says that it is seen", async () => {
  const { host } = await opened();
  await expect.element(page.getByRole("heading", { name: "On this computer" })).toBeVisible();
  await expect.poll(() => host.given).toContain("painted");
  expect(await faults()).toEqual([]);
});

test("it begins in the workspace of yesterday, and goes back to the start when asked", async () => {
  const { program } = await opened("full", WORKSPACE);
  await expect.poll(() => location.pathname).toBe(`/w/${WORKSPACE}`);
  program.tell({ told: "show", address: "/" });
  await expect.element(page.getByRole("heading", { name: "On this computer" })).toBeVisible();
  expect(location.pathname).toBe("/");
});

test("links and the menu of the program go where they say, and quitting puts down and leaves", async () => {
  const { host, program } = await opened();
  await expect.element(page.getByRole("heading", { name: "On this computer" })).toBeVisible();
  program.tell({ told: "show", address: "/account" });
  await expect.element(page.getByRole("heading", { name: "Account", exact: true })).toBeVisible();
  program.tell({ told: "menu", action: "app.start" });
  await expect.element(page.getByRole("heading", { name: "On this computer" })).toBeVisible();
  program.tell({ told: "menu", action: "file.new" });
  program.tell({ told: "menu", action: "app.quit" });
  await expect.poll(() => host.given).toContain("left");
});

test("keys of the program are heard on pages of the server, too", async () => {
  const { program } = await opened();
  program.tell({ told: "show", address: "/account" });
  await expect.element(page.getByRole("heading", { name: "Account", exact: true })).toBeVisible();
  await userEvent.keyboard("{Control>}o{/Control}");
  await expect.poll(() => location.pathname).toMatch(/^\/w\//);
});

test("who is signed out works on, and is asked to sign in only for what is the server's", async () => {
  const { program } = await opened("signed-out");
  await expect.element(page.getByRole("link", { name: "Not signed in" })).toBeVisible();
  program.tell({ told: "menu", action: "app.workspaces" });
  await expect.element(page.getByText(/Nobody is signed in to a server/)).toBeVisible();
  program.tell({ told: "show", address: "/server" });
  await expect.element(page.getByRole("button", { name: "Sign in", exact: true })).toBeVisible();
  await page.getByRole("link", { name: "Work offline" }).click();
  await expect.element(page.getByRole("heading", { name: "On this computer" })).toBeVisible();
});

test("the first server leads to its sign-in, and that to its workspaces", async () => {
  await opened("empty");
  await page.getByLabelText("Server address").fill("harbor.example.org");
  await page.getByRole("button", { name: "Continue" }).click();
  await expect.element(page.getByRole("button", { name: "Sign in", exact: true })).toBeVisible();
  await expect.element(page.getByText("https://harbor.example.org").first()).toBeVisible();
  await page.getByLabelText("E-mail").fill("mo@example.org");
  await page.getByLabelText("Password", { exact: true }).fill("quiet tide");
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await expect.element(page.getByText("No workspaces yet")).toBeVisible();
  expect(location.pathname).toBe("/server");
});

test("folders of one name are told apart by where they lie", async () => {
  const deep = "/home/mo/work/of/the/harbor/office/in/Brest/gauges/and/buoys/harbor-tides";
  await opened("full", WORKSPACE, (workspaces) => {
    const [first] = workspaces;
    if (!first) throw new Error("the fake has no workspace");
    const id = "018f1000-0000-7000-8000-000000000009";
    workspaces.push({ ...first, id, folder: deep, short: deep.replace("/home/mo", "~") });
  });
  await page.getByRole("button", { name: "Workspace fleet-dashboard" }).click();
  const near = page.getByRole("menuitem", { name: /^harbor-tides ?~\/Slipway\/harbor-tides/ });
  await expect.element(near).toBeVisible();
  const far = page.getByRole("menuitem", { name: /^harbor-tides ?~\/work\/of\/the\/harbor/ });
  const path = far.element().querySelector(".folder-path") as HTMLElement;
  expect(path.title).toBe(deep);
  // Its end is what is seen of it.
  expect(path.scrollWidth).toBeGreaterThan(path.clientWidth);
  const [shown, all] = [path.getBoundingClientRect(), path.firstElementChild];
  expect(all?.getBoundingClientRect().right).toBeCloseTo(shown.right, 0);
  expect(await faults()).toEqual([]);
});

test("a workspace that is renamed is called so at once, beside where its folder lies", async () => {
  const { program } = await opened("full", WORKSPACE);
  const before = page.getByRole("button", {
    name: "Workspace fleet-dashboard in ~/Slipway/fleet-dashboard",
  });
  await expect.element(before).toBeVisible();
  program.workspaces = program.workspaces.map((one) =>
    one.id === WORKSPACE ? { ...one, name: "armada" } : one,
  );
  program.tell({ told: "workspaces" });
  const now = page.getByRole("button", { name: "Workspace armada in ~/Slipway/fleet-dashboard" });
  const where = expect.stringContaining("/home/mo/Slipway/fleet-dashboard:");
  await expect.element(now).toHaveAttribute("title", where);
  await expect
    .poll(() => document.title)
    .toMatch(/armada \(~\/Slipway\/fleet-dashboard\) – Slipway$/);
});

test("Run in a workspace that is only here uploads it, and then runs", async () => {
  const { program } = await opened("full", ONLY_HERE);
  const run = page.getByRole("button", { name: "Run main.py" });
  const hint = expect.stringContaining("Upload this workspace to run this file");
  await expect.element(run).toHaveAttribute("title", hint);
  await run.click();
  const question = page.getByRole("dialog", { name: "Upload to run main.py" });
  await expect.element(question).toBeVisible();
  expect(await faults()).toEqual([]);
  await question.getByRole("button", { name: "Upload and run" }).click();
  await expect.element(page.getByRole("region", { name: "Run of main.py" })).toBeVisible();
  expect(program.workspaces.find((one) => one.id === ONLY_HERE)?.remote).toBeDefined();
});

test("Run with nobody signed in leads to the sign-in and back, where Run uploads", async () => {
  await opened("signed-out", ONLY_HERE);
  const run = page.getByRole("button", { name: "Run main.py" });
  const hint = expect.stringContaining("Sign in to a server to run this file");
  await expect.element(run).toHaveAttribute("title", hint);
  await run.click();
  await page
    .getByRole("dialog", { name: "Sign in to run main.py" })
    .getByRole("button", { name: "Sign in" })
    .click();
  await expect.poll(() => location.pathname).toBe("/sign-in");
  await page.getByLabelText("E-mail").fill("mo@example.org");
  await page.getByLabelText("Password", { exact: true }).fill("quiet tide");
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect.poll(() => location.pathname).toBe(`/w/${ONLY_HERE}`);
  await page.getByRole("button", { name: "Run main.py" }).click();
  await expect.element(page.getByRole("dialog", { name: "Upload to run main.py" })).toBeVisible();
});

test("whoever works offline after all is back in the workspace", async () => {
  await opened("signed-out", ONLY_HERE);
  await page.getByRole("button", { name: "Sign in to a server" }).click();
  await page.getByRole("link", { name: "Work offline" }).click();
  await expect.poll(() => location.pathname).toBe(`/w/${ONLY_HERE}`);
});
