/** xterm.js as the build changes it: what a line that scrolls leaves behind. */
import type {
  IBufferLine,
  ITerminalInitOnlyOptions,
  ITerminalOptions,
  Terminal,
} from "@xterm/xterm";
import code from "@xterm/xterm/lib/xterm.mjs?raw";
import { beforeAll, expect, test } from "vitest";
import { scrollsFrugally } from "../../../scrolling";

interface Line {
  _data: Uint32Array;
  _combined: object;
  _extendedAttrs: object;
}

interface Cell {
  content: number;
  fg: number;
  bg: number;
  combinedData: string;
}

let Made: typeof Terminal;
let Original: typeof Terminal;
beforeAll(async () => {
  const terminal = async (code: string): Promise<typeof Terminal> =>
    (await import(/* @vite-ignore */ `data:text/javascript,${encodeURIComponent(code)}`)).Terminal;
  Made = await terminal(scrollsFrugally(code));
  Original = await terminal(code);
});

/** A terminal, and how to write to it. */
function terminalOf(options: ITerminalOptions & ITerminalInitOnlyOptions, Kind = Made) {
  const terminal = new Kind({ ...options, allowProposedApi: true });
  const write = (text: string) => new Promise<void>((done) => terminal.write(text, done));
  return { terminal, write };
}

/** A terminal of three lines in all. */
function small() {
  const { terminal, write } = terminalOf({ cols: 4, rows: 2, scrollback: 1 });
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

/** The lines as they are kept, and how many numbers each has: three for a cell. */
function kept(terminal: Terminal): { lines: Line[]; sizes: number[] } {
  const { _core } = terminal as unknown as {
    _core: { buffer: { lines: { _array: (Line | undefined)[] } } };
  };
  const lines = _core.buffer.lines._array.filter((line) => line !== undefined);
  return { lines, sizes: lines.map((line) => line._data.length).sort((a, b) => a - b) };
}

test("a line that has left the screen keeps what it shows and one cell for the rest", async () => {
  const { terminal, write } = terminalOf({ cols: 80, rows: 2, scrollback: 10 });
  await write("y\r\n".repeat(4));
  expect(kept(terminal).sizes).toEqual([6, 6, 6, 240, 240]);
  await write("y\r\n".repeat(100));
  expect(kept(terminal).sizes).toEqual([...Array(10).fill(6), 240, 240]);
  const arrays = kept(terminal).lines.map((line) => line._data);
  await write("y\r\n".repeat(100));
  for (const { _data } of kept(terminal).lines) expect(arrays).toContain(_data);
  // Who asks for one gets all of it. More than half is as much as the full width, which then stays.
  expect(terminal.buffer.active.getLine(0)?.getCell(79)?.getWidth()).toBe(1);
  await write(`${"long ".repeat(9)}\r\n\r\n\r\n`);
  expect(kept(terminal).sizes).toEqual([...Array(8).fill(6), 240, 240, 240, 240]);
});

/** Every cell with its colours, and where the screen is. */
function shown({ buffer: { active }, cols }: Terminal): unknown[] {
  const lines = Array.from({ length: active.length }, (_, at) => {
    const line = active.getLine(at) as IBufferLine;
    const cells = Array.from({ length: cols }, (_, column) => {
      const { content, fg, bg, combinedData } = line.getCell(column) as unknown as Cell;
      return [content, fg, bg, combinedData];
    });
    return [line.isWrapped, cells];
  });
  return [active.type, active.baseY, active.viewportY, active.cursorX, active.cursorY, lines];
}

/** What a program may print, and how the window may change meanwhile. */
const PARTS = [
  "y\r\n",
  "a line of some words, ",
  "\u6f6e\u6c50 e\u0301\u200d\r\n",
  "\r\n\r\n\r\n",
  "\u001b[44m\u001b[K\r\n",
  "\u001b[3C\u001b[42m\u001b[K\u001b[0m\r\n",
  "\u001b[41m\u001b[99C\u6f6e\u6c50\u001b[0m",
  "\u001b[31mzzzz\u001b[32mzzzzzzz\u001b[0m",
  "\u001b[4:3;58;5;1mwave\u001b[0m\r\n",
  "\u001b[0m",
  "\u001b[2;3r",
  "\u001b[r\u001b[9;1H\r\n",
  "\u001b[H\u001bM\u001bM",
  "\u001b[2S\u001b[L\u001b[9;1H",
  "\u001b[?1049h",
  "\u001b[?1049l",
  "\u001b[2J\u001b[3J",
  (terminal: Terminal) => terminal.resize(5, 4),
  (terminal: Terminal) => terminal.resize(17, 2),
  (terminal: Terminal) => terminal.resize(9, 1),
  (terminal: Terminal) => terminal.scrollLines(-3),
  (terminal: Terminal) => terminal.scrollToBottom(),
];

test("every cell is what it would have been", async () => {
  for (let seed = 1; seed <= 60; seed += 1) {
    const options = { cols: 11, rows: 1 + (seed % 3), scrollback: (seed % 8) * 5 };
    const [made, original] = [terminalOf(options), terminalOf(options, Original)];
    for (let step = 0, chance = seed; step < 40; step += 1) {
      chance = (Math.imul(chance, 1_103_515_245) + 12_345) & 0x7fffffff;
      const part = PARTS[(chance >> 8) % PARTS.length] ?? "";
      for (const { terminal, write } of [made, original]) {
        if (typeof part === "string") terminal.write(part.repeat(1 + (chance % 3)));
        else {
          await write("");
          part(terminal);
        }
      }
      // Now and then only: who looks at a line unfolds it.
      if (step % 10 !== 9) continue;
      for (const { write } of [made, original]) await write("");
      expect(shown(made.terminal)).toEqual(shown(original.terminal));
    }
  }
});
