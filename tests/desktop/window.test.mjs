/** The window as the system sees it: shown once, named, with a menu of its own; and what happens when it stays blank. */
import assert from "node:assert/strict";
import { execFile, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { desktop, homeOf, remove, until } from "./driver.mjs";
import { display } from "./screen.mjs";

const binary = process.env.SLIPWAY_TEST_COMMAND;
const run = promisify(execFile);

/** What xdotool answers on a display; nothing when it finds nothing. */
const x = (on, ...args) =>
  run("xdotool", args, { env: { ...process.env, DISPLAY: on } }).then(
    ({ stdout }) => stdout.trim(),
    () => "",
  );

/** Processes that somebody started, by their program's name. */
function childrenOf(pid, name) {
  const found = [];
  for (const child of readdirSync("/proc").filter((entry) => /^\d+$/.test(entry))) {
    try {
      const [, comm, rest] = readFileSync(`/proc/${child}/stat`, "utf8").match(/\((.*)\) (.*)/);
      if (Number(rest.split(" ")[1]) === pid && comm.startsWith(name)) found.push(Number(child));
    } catch {
      // It has ended meanwhile.
    }
  }
  return found;
}

test("the page is shown, and nothing of it is refused by its own rules", async (t) => {
  const window = await desktop({ binary });
  t.after(() => window.stop());
  await until("the start page", () => window.evaluate("() => document.body.innerText.includes('Open a folder')"));
  const asked = await window.evaluate("() => performance.getEntriesByType('resource').map((entry) => entry.name)");
  const elsewhere = asked.filter((name) => !/^(tauri|ipc):\/\/localhost\//.test(name));
  assert.deepEqual(elsewhere, [], "everything comes from the program");
  assert.equal(await window.evaluate("() => typeof window.__TAURI__"), "undefined");
});

test("the page runs no text as a program, and nothing from elsewhere comes into it", async (t) => {
  const window = await desktop({ binary });
  t.after(() => window.stop());
  await until("the start page", () => window.evaluate("() => document.body.innerText.includes('Open a folder')"));
  const refused = await window.evaluate(`() => {
    window.refused = [];
    document.addEventListener("securitypolicyviolation", (event) => window.refused.push(event.effectiveDirective));
    const script = document.createElement("script");
    script.textContent = "window.ran = true";
    document.body.append(script);
    const picture = document.createElement("img");
    picture.src = "http://127.0.0.1:1/elsewhere";
    document.body.append(picture);
    fetch("http://127.0.0.1:1/elsewhere").catch(() => undefined);
    try {
      return eval("'ran'");
    } catch (error) {
      return error.name;
    }
  }`);
  assert.equal(refused, "EvalError");
  const parts = ["connect-src", "img-src", "script-src"];
  await until("each is refused", async () => {
    const all = await window.evaluate("() => window.refused");
    return parts.every((part) => all.some((one) => one.startsWith(part)));
  });
  assert.equal(await window.evaluate("() => typeof window.ran"), "undefined");
});

test("a second start shows the window that is there and leaves", async (t) => {
  const window = await desktop({ binary });
  t.after(() => window.stop());
  const env = homeOf(window.home, window.screen.name);
  const second = spawnSync(binary, [], { env, timeout: 20_000 });
  assert.equal(second.status, 0, second.stderr.toString());
  const shown = await x(window.screen.name, "search", "--onlyvisible", "--name", "Slipway");
  assert.equal(shown.split("\n").length, 1, "one window");
});

test("a display that lets nobody in is told, with what there is without a window", (t) => {
  const home = mkdtempSync(join(tmpdir(), "slipway-closed-"));
  t.after(() => remove(home));
  const refused = spawnSync(binary, [], { env: homeOf(home, ":4077"), timeout: 20_000 });
  assert.equal(refused.status, 1);
  const said = refused.stderr.toString();
  assert.match(said, /cannot be opened/);
  assert.match(said, /mirror/);
});

test("the menu is hidden until Alt asks for it", async (t) => {
  const window = await desktop({ binary });
  t.after(() => window.stop());
  const height = () => window.evaluate("() => innerHeight");
  await until("the start page", () => window.evaluate("() => document.body.innerText.includes('Open a folder')"));
  const before = await height();
  await x(window.screen.name, "mousemove", "640", "500", "click", "1");
  await x(window.screen.name, "keydown", "Alt_L", "keyup", "Alt_L");
  await until("the menu takes its room", async () => (await height()) < before);
  await x(window.screen.name, "key", "Escape", "Escape");
  await until("the menu gives it back", async () => (await height()) === before);
});

test("what is chosen in the menu is done", async (t) => {
  const window = await desktop({ binary });
  t.after(() => window.stop());
  const height = () => window.evaluate("() => innerHeight");
  const key = (...keys) => x(window.screen.name, "key", ...keys);
  await until("the start page", () => window.evaluate("() => document.body.innerText.includes('Open a folder')"));
  const before = await height();
  await x(window.screen.name, "mousemove", "640", "500", "click", "1");
  await x(window.screen.name, "keydown", "Alt_L", "keyup", "Alt_L");
  await until("the menu takes its room", async () => (await height()) < before);
  // Into the first menu, File, and to its "New Workspace…".
  await key("Down", "w");
  await until("the page asks for a name", () =>
    window.evaluate("() => document.querySelector('dialog[open], [role=dialog]')?.textContent.includes('New workspace')"),
  );
  await until("the menu gives its room back", async () => (await height()) === before);
});

test("a window that stays blank offers safe graphics, and starts again with them", async (t) => {
  const home = mkdtempSync(join(tmpdir(), "slipway-blank-"));
  const screen = await display();
  const program = spawn(binary, { env: homeOf(home, screen.name), stdio: ["ignore", "inherit", "inherit"] });
  t.after(() => {
    program.kill();
    screen.stop();
    return remove(home);
  });
  // A page whose process stands still paints nothing.
  const page = await until("the page's process", () => childrenOf(program.pid, "WebKitWebProc")[0]);
  process.kill(page, "SIGSTOP");
  t.after(() => process.kill(page, "SIGKILL"));
  const dialog = await until("the dialog", () =>
    x(screen.name, "search", "--onlyvisible", "--name", "The window stays empty"),
  );
  await x(screen.name, "key", "--window", dialog, "Tab");
  await x(screen.name, "mousemove", "--window", dialog, "100", "110", "click", "1");
  await until("it begins again", () =>
    readFileSync(`/proc/${program.pid}/cmdline`, "utf8").includes("--safe-graphics"),
  );
  assert.ok(existsSync(join(home, "state/slipway/safe-graphics")), "the choice is kept");
  const again = await until("the page's process", () =>
    childrenOf(program.pid, "WebKitWebProc").find((other) => other !== page),
  );
  const environment = readFileSync(`/proc/${again}/environ`, "utf8");
  assert.match(environment, /WEBKIT_DISABLE_COMPOSITING_MODE=1/);
});

test("a signal closes the window and leaves its place for the next start", async (t) => {
  const home = mkdtempSync(join(tmpdir(), "slipway-signal-"));
  const screen = await display();
  t.after(() => {
    screen.stop();
    return remove(home);
  });
  const program = spawn(binary, { env: homeOf(home, screen.name), stdio: ["ignore", "inherit", "inherit"] });
  const ended = new Promise((done) => program.once("exit", (code) => done(code)));
  await until("the window", () => x(screen.name, "search", "--onlyvisible", "--name", "Slipway"));
  program.kill("SIGTERM");
  assert.equal(await ended, 0);
  const kept = JSON.parse(readFileSync(join(home, "state/slipway/window.json"), "utf8"));
  assert.equal(kept.main.width, 1280);
});
