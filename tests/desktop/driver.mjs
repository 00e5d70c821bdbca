/**
 * The real program on a display of its own, driven through WebKitWebDriver. Zero dependencies: the protocol is a handful
 * of JSON requests.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { display } from "./screen.mjs";

/** How long anything may take that a test waits for; a busy machine is slow. */
const PATIENCE_MS = 60_000;
const LOOK_MS = 50;
/** WebDriver's names for keys that are held. */
const HELD = { Control: "\uE009", Shift: "\uE008", Alt: "\uE00A" };
/** WebDriver's name for a reference to an element. */
const ELEMENT = "element-6066-11e4-a52e-4f735466cecf";

const pause = (ms) => new Promise((done) => setTimeout(done, ms));

/** Asks until the answer is neither empty nor an error; fails with the last of them. */
export async function until(what, ask, patience = PATIENCE_MS) {
  const end = Date.now() + patience;
  for (let last; ; await pause(LOOK_MS)) {
    try {
      const answer = await ask();
      if (answer) return answer;
    } catch (error) {
      last = error;
    }
    if (Date.now() > end) throw new Error(`waited in vain: ${what}`, { cause: last });
  }
}

/** Takes a home away, once the last process of the web view has left it: they end after the program does. */
export const remove = (home) =>
  until(`${home} can be removed`, () => {
    rmSync(home, { recursive: true, force: true });
    return true;
  });

/** The environment of a person whose home is a folder, and whose screen a display. */
export const homeOf = (home, screen) => ({
  ...process.env,
  HOME: home,
  XDG_STATE_HOME: join(home, "state"),
  XDG_DATA_HOME: join(home, "data"),
  XDG_CONFIG_HOME: join(home, "config"),
  XDG_CACHE_HOME: join(home, "cache"),
  DISPLAY: screen,
  WAYLAND_DISPLAY: "",
});

/** A port that nobody listens on now. */
function freePort() {
  return new Promise((found) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => found(port));
    });
  });
}

/** The program with a state folder of its own, or the one of `home` again. */
export async function desktop({ binary, args = [], env = {}, home }) {
  const own = home ?? mkdtempSync(join(tmpdir(), "slipway-desktop-"));
  const screen = await display();
  const port = await freePort();
  const driver = spawn("WebKitWebDriver", [`--port=${port}`], {
    stdio: "inherit",
    env: { ...homeOf(own, screen.name), TAURI_WEBVIEW_AUTOMATION: "true", ...env },
  });
  const call = async (method, path, body) => {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, {
      method,
      body: body && JSON.stringify(body),
    });
    const { value } = await answer.json();
    if (!answer.ok) throw new Error(`${method} ${path}: ${value.error}: ${value.message}`);
    return value;
  };
  await until("the driver", () => call("GET", "/status"));
  const options = { "webkitgtk:browserOptions": { binary, args } };
  const { sessionId } = await call("POST", "/session", { capabilities: { alwaysMatch: options } });
  return new Desktop(call, sessionId, { driver, screen, home: own, ours: !home });
}

/** One window of the program. */
export class Desktop {
  #call;
  #around;

  constructor(call, session, around) {
    this.#call = (method, path, body) => call(method, `/session/${session}${path}`, body);
    this.#around = around;
  }

  /** The folder that stands for the person's home. */
  get home() {
    return this.#around.home;
  }

  /** What can be seen. */
  get screen() {
    return this.#around.screen;
  }

  /** The process that drives it. */
  get driver() {
    return this.#around.driver.pid;
  }

  /** What a function of the page answers; it sees its arguments and nothing of here. */
  evaluate(script, ...args) {
    return this.#call("POST", "/execute/sync", {
      script: `return (${script}).apply(null, arguments)`,
      args,
    });
  }

  /** The first element that is there and matches. */
  async find(selector) {
    const found = await until(selector, () =>
      this.#call("POST", "/element", { using: "css selector", value: selector }),
    );
    return found[ELEMENT];
  }

  async text(selector) {
    return this.#call("GET", `/element/${await this.find(selector)}/text`);
  }

  async click(selector) {
    await this.#call("POST", `/element/${await this.find(selector)}/click`, {});
  }

  /** Types at whatever has the focus, one key after another. */
  async type(text) {
    const keys = [...text].flatMap((value) => [
      { type: "keyDown", value },
      { type: "keyUp", value },
    ]);
    await this.#call("POST", "/actions", { actions: [{ type: "key", id: "keys", actions: keys }] });
  }

  /** Presses keys together: those that are held, by name, and the last one. */
  async press(...keys) {
    const values = keys.map((key) => HELD[key] ?? key);
    const down = values.map((value) => ({ type: "keyDown", value }));
    const up = values.toReversed().map((value) => ({ type: "keyUp", value }));
    await this.#call("POST", "/actions", { actions: [{ type: "key", id: "keys", actions: [...down, ...up] }] });
  }

  /** Keeps a picture of the page. WebKit waits for the next frame, which a page at rest does not draw by itself. */
  async screenshot(file) {
    const nudge = await this.evaluate(`() => {
      const { style } = document.documentElement;
      return setInterval(() => { style.opacity = style.opacity ? "" : "0.999"; }, 50);
    }`);
    const picture = await this.#call("GET", "/screenshot");
    await this.evaluate(`(nudge) => {
      clearInterval(nudge);
      document.documentElement.style.opacity = "";
    }`, nudge);
    writeFileSync(file, Buffer.from(picture, "base64"));
  }

  /** Closes the window as a person does, and takes everything away. */
  async stop() {
    const { driver, screen, home, ours } = this.#around;
    await this.#call("DELETE", "").catch(() => undefined);
    driver.kill();
    screen.stop();
    if (ours) await remove(home);
  }
}
