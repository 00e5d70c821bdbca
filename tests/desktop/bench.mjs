/**
 * Measures of the window for `cargo xtask bench desktop`; each prints one object.
 * node bench.mjs save PROGRAM HOME FILE THERE MANY → {"ms"}: from each Ctrl+S, as the page hears it, until the same file
 * on the session's disk has what was typed
 * node bench.mjs work PROGRAM HOME FILE  → {"before", "first", "last", "ctrlC", "frame"}: memory of all processes with an
 * editor and two terminals, in bytes; the most while one of them prints without end, in the first five seconds and in the
 * next; then the time from Ctrl-C until the shell's next prompt shows, and the longest time between two frames of the page
 * meanwhile
 * What is measured without a driver is in person.mjs.
 */
import { existsSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { desktop, until } from "./driver.mjs";
import { memoryOf } from "./memory.mjs";
import { colours } from "./screen.mjs";

const SETTLED_MS = 5_000;
const PRINTS_MS = 10_000;
const SAVED_MS = 300;
const MARK = 0xff00ff;

const [kind, binary, home, file, there, many] = process.argv.slice(2);
if (!file) throw new Error("usage: bench.mjs work|save PROGRAM HOME FILE [THERE MANY]");
const KINDS = { work, save };
const pause = (ms) => new Promise((done) => setTimeout(done, ms));

const window = await desktop({ binary, args: ["open", file], home });
try {
  console.log(JSON.stringify(await KINDS[kind]()));
} finally {
  await window.stop();
}

/** Waits until it is so; a page that nobody moves draws no frame in which it could look by itself. */
function shows(look, ...args) {
  return until(look, () => window.evaluate(look, ...args));
}

async function edit(text) {
  const selector = ".monaco-editor .view-lines";
  await shows("(selector) => document.querySelector(selector)?.checkVisibility()", selector);
  await window.click(selector);
  await window.type(text);
  await shows(
    "(selector, text) => document.querySelector(selector)?.textContent?.includes(text)",
    selector,
    text,
  );
}

/** The file's own clock says when it came; a look at it would come later. */
async function save() {
  await edit("zq");
  await window.evaluate(`() => {
    const hear = (event) => {
      if (event.ctrlKey && event.key === "s") globalThis.pressed = Date.now();
    };
    addEventListener("keydown", hear, true);
  }`);
  const ms = [];
  for (let number = 0; number < Number(many); number += 1) {
    await pause(SAVED_MS);
    const text = `<${number}>`;
    await window.type(text);
    await window.press("Control", "s");
    await until(`save ${number}`, () => readFileSync(there, "utf8").includes(text));
    const came = Number(statSync(there, { bigint: true }).ctimeNs) / 1e6;
    ms.push(came - (await window.evaluate("() => globalThis.pressed")));
  }
  return { ms };
}

/** A new terminal in which somebody types; its shell writes a file with every prompt. */
async function terminal(number) {
  const prompt = join(home, `prompt-${number}`);
  rmSync(prompt, { force: true });
  await window.evaluate("() => document.activeElement?.classList.add('before')");
  await window.press("Control", "Shift", "`");
  const focused = `() => document.activeElement?.matches(".xterm-helper-textarea:not(.before)")`;
  await shows(focused);
  // It may not read yet: what is typed before is kept for it.
  await window.type(`PROMPT_COMMAND='date >${prompt}'\n`);
  await until("the shell's prompt", () => existsSync(prompt));
}

/** Lets the prompt of the terminal have a colour that nothing else has; tells whether one shows. */
async function mark() {
  await window.type("PS1='\\[\\e[48;2;255;0;255m\\]  \\[\\e[0m\\]'\n");
  const { x } = await until("the marked prompt", () => window.screen.find(MARK));
  // All that may stand below each other there, within what takes a millisecond to look at.
  const column = { x: x + 1, y: 0, width: 1, height: 900 };
  return () => colours(window.screen.pixels(column)).includes(MARK);
}

/** The most memory that is seen in a time. */
async function mostWithin(ms) {
  let most = 0;
  for (const end = Date.now() + ms; Date.now() < end; await pause(500)) {
    most = Math.max(most, memoryOf(home, window.driver));
  }
  return most;
}

async function work() {
  await edit("zq");
  await terminal(1);
  await terminal(2);
  const prompts = await mark();
  await pause(SETTLED_MS);
  const before = memoryOf(home, window.driver);
  await window.evaluate(`() => {
    globalThis.longest = 0;
    let last = performance.now();
    const frame = (now) => {
      globalThis.longest = Math.max(globalThis.longest, now - last);
      last = now;
      requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  }`);
  await window.type("yes\n");
  const first = await mostWithin(PRINTS_MS / 2);
  const last = await mostWithin(PRINTS_MS / 2);
  if (prompts()) throw new Error("a prompt shows while `yes` prints");
  const begin = performance.now();
  await window.press("Control", "c");
  while (!prompts()) {
    if (performance.now() - begin > 30_000) throw new Error("Ctrl-C ended nothing");
    await pause(2);
  }
  const ctrlC = performance.now() - begin;
  const frame = await window.evaluate("() => globalThis.longest");
  return { before, first, last, ctrlC, frame };
}
