/** xterm.js as the build changes it: what a line that scrolls leaves behind. */
import type { Terminal } from "@xterm/xterm";
import code from "@xterm/xterm/lib/xterm.mjs?raw";
import { beforeAll, expect, test } from "vitest";
import { scrollsWithoutGarbage } from "../../../scrolling";

interface Line {
  _combined: object;
  _extendedAttrs: object;
}

let Made: typeof Terminal;
beforeAll(async () => {
  const changed = encodeURIComponent(scrollsWithoutGarbage(code));
  Made = (await import(/* @vite-ignore */ `data:text/javascript,${changed}`)).Terminal;
});

/** A terminal of three lines in all, and how to write to it. */
function small() {
  const terminal = new Made({ cols: 4, rows: 2, scrollback: 1, allowProposedApi: true });
  const write = (text: string) => new Promise<void>((done) => terminal.write(text, done));
  const lines = () => {
    const { lines } = (
      terminal as unknown as {
        _core: { buffer: { lines: { length: number; get(at: number): Line } } };
      }
    )._core.buffer;
    return Array.from({ length: lines.length }, (_, at) => lines.get(at));
  };
  const text = () => {
    const { active } = terminal.buffer;
    return Array.from({ length: active.length }, (_, at) =>
      active.getLine(at)?.translateToString(true),
    );
  };
  return { terminal, write, lines, text };
}

test("a line that comes round again brings no object along", async () => {
  const { write, lines } = small();
  await write("y\r\n".repeat(3));
  const objects = () => new Set(lines().flatMap((line) => [line._combined, line._extendedAttrs]));
  const before = objects();
  await write("y\r\n".repeat(300));
  expect(objects()).toEqual(before);
  for (const object of objects()) expect(before).toContain(object);
});

test("one event tells of every line where the screen is", async () => {
  const { terminal, write } = small();
  const events = new Set<object>();
  const { _core } = terminal as unknown as {
    _core: { _onScroll: { event(listener: (event: object) => void): void } };
  };
  _core._onScroll.event((event) => events.add(event));
  const places: number[] = [];
  terminal.onScroll((place) => places.push(place));
  await write("y\r\n".repeat(5));
  expect(places).toEqual([1, 1, 1, 1]);
  expect(events.size).toBe(1);
});

test("nothing of the line that it was is left", async () => {
  const { write, lines, text } = small();
  // Each sign of two code points, underlined in a colour of its own.
  await write("\u001b[4:3;58;5;1me\u0301\u001b[0m\r\n".repeat(5));
  expect(text()).toEqual(["e\u0301", "e\u0301", ""]);
  await write("y\r\n".repeat(5));
  expect(text()).toEqual(["y", "y", ""]);
  for (const line of lines()) expect(line).toMatchObject({ _combined: {}, _extendedAttrs: {} });
  expect(
    lines().flatMap((line) => Object.keys({ ...line._combined, ...line._extendedAttrs })),
  ).toEqual([]);
});
