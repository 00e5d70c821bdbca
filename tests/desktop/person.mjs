/**
 * What a person has at the window whom nobody drives: only the screen is looked at, and keys are pressed.
 * node person.mjs look PROGRAM HOME FILE        → what the others compare the screen with
 * node person.mjs start PROGRAM HOME FILE LOOK  → {"ms"}: from the start of the program until a typed character shows
 * node person.mjs rest PROGRAM HOME FILE LOOK   → {"bytes"}: memory of all processes with an editor and two terminals
 */
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { desktop, homeOf, until } from "./driver.mjs";
import { memoryOf } from "./memory.mjs";
import { display, ink } from "./screen.mjs";

const run = promisify(execFile);
const KEY = "z";
const MARK = 0xff00ff;
const LOOK_MS = 2;
const FOCUS_MS = 500;
const SETTLED_MS = 5_000;
const PATIENCE_MS = 60_000;
const pause = (ms) => new Promise((done) => setTimeout(done, ms));

const [kind, binary, home, file, seen] = process.argv.slice(2);
if (!file) throw new Error("usage: person.mjs look|start|rest PROGRAM HOME FILE [LOOK]");
const KINDS = { look, start: () => sit(start), rest: () => sit(rest) };
console.log(JSON.stringify(await KINDS[kind]()));

/** Where the first character of the file is shown and how, and where its second line. */
async function look() {
  const window = await desktop({ binary, args: ["open", file], home });
  try {
    await until("the file", () => window.evaluate(`() => document.querySelectorAll(".view-line").length > 2`));
    await window.type(KEY);
    const typed = `(key) => document.querySelector(".view-lines").textContent.includes(key)`;
    await until("the key", () => window.evaluate(typed, KEY));
    const [first, second] = await window.evaluate(`() => {
      const lines = [...document.querySelectorAll(".view-line")].sort((a, b) => a.offsetTop - b.offsetTop).slice(0, 2);
      const boxes = lines.map((line) => line.querySelector("span span").getBoundingClientRect());
      return boxes.map(({ x, y, width, height }) => ({ x, y, width, height }));
    }`);
    await window.evaluate(`() => {
      const mark = document.body.appendChild(document.createElement("i"));
      mark.style = "position:fixed; z-index:9999; inset:0 auto auto 0; width:2px; height:2px; background:#f0f";
    }`);
    const origin = await until("the page", () => window.screen.find(MARK));
    const on = (box) => ({
      x: Math.floor(origin.x + box.x),
      y: Math.floor(origin.y + box.y),
      // What stands behind it may blink.
      width: Math.floor(box.width) - 1,
      height: Math.floor(box.height),
    });
    const [glyph, line] = [on(first), on(second)];
    const shown = () => window.screen.pixels(line);
    await until("the line", () => ink(shown()) > 0);
    const picture = (box) => ({ box, shown: window.screen.pixels(box).toString("base64") });
    return { glyph: picture(glyph), line: picture(line) };
  } finally {
    await window.stop();
  }
}

/** Starts the program on the file, waits until the file shows, and ends it after what is done with it. */
async function sit(act) {
  const looked = JSON.parse(seen);
  const screen = await display();
  const began = performance.now();
  const program = spawn(binary, ["open", file], { stdio: "inherit", env: homeOf(home, screen.name) });
  const press = (...args) => run("xdotool", args, { env: homeOf(home, screen.name) });
  try {
    // What a window manager does.
    await press("search", "--sync", "--onlyvisible", "--name", "Slipway", "windowfocus");
    const looks = ({ box, shown }) => {
      const expected = Buffer.from(shown, "base64");
      return () => screen.pixels(box).equals(expected);
    };
    await sees("the file", looks(looked.line));
    return await act({ began, press, typed: looks(looked.glyph) });
  } finally {
    program.kill();
    await once(program, "exit");
    screen.stop();
  }
}

async function sees(what, is) {
  for (const end = performance.now() + PATIENCE_MS; !is(); await pause(LOOK_MS)) {
    if (performance.now() > end) throw new Error(`waited in vain: ${what}`);
  }
}

async function start({ began, press, typed }) {
  if (typed()) throw new Error("the key shows before it is pressed");
  await press("key", KEY);
  await sees("the key", typed);
  const ms = performance.now() - began;
  // The next start finds what was typed; it is to begin with the file as it is.
  await press("key", "BackSpace");
  await sees("the key is gone", () => !typed());
  return { ms };
}

async function rest({ press }) {
  const shells = new Set();
  for (const number of [1, 2]) {
    const prompt = join(home, `prompt-${number}`);
    await press("key", "ctrl+shift+grave");
    // Nothing that can be told apart on the screen says when it has the focus.
    await pause(FOCUS_MS);
    // It may not read yet: what is typed before is kept for it.
    await press("type", `PROMPT_COMMAND='echo $$ >${prompt}'\n`);
    shells.add(await until("the shell's prompt", () => readFileSync(prompt, "utf8")));
  }
  if (shells.size !== 2) throw new Error("the second terminal did not open");
  await pause(SETTLED_MS);
  return { bytes: memoryOf(home) };
}
