/** A terminal as the browser draws it, and which keys it leaves to the browser. */
import { expect, test, vi } from "vitest";
import type { Host } from "../../host/host";
import "../../styles/shared";
import { TerminalScreen } from "./screen";
import "./terminal.css";

function drawn(output: string | null = null) {
  const typed = vi.fn((bytes: Uint8Array) => new TextDecoder().decode(bytes));
  const owner = {
    typed,
    resized: vi.fn(),
    titled: vi.fn(),
    linked: vi.fn(),
    ended: vi.fn(),
    confirmPaste: async () => true,
  };
  const outside = { plain: true, kept: { get: () => null } } as unknown as Host;
  const place = document.createElement("div");
  place.className = "term-host";
  place.style.cssText = "width: 600px; height: 200px";
  document.body.append(place);
  const screen = new TerminalScreen(owner, outside, output);
  screen.mount(place);
  const field = place.querySelector("textarea") as HTMLTextAreaElement;
  return { screen, place, field, typed };
}

const press = (field: HTMLElement, key: string, mods: KeyboardEventInit) => {
  const event = new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true, ...mods });
  field.dispatchEvent(event);
  return event;
};

test("the keys that paste are left to the browser, and its paste is typed", async () => {
  const { screen, field, typed } = drawn();
  for (const mods of [{ ctrlKey: true }, { ctrlKey: true, shiftKey: true }])
    expect(press(field, "v", mods).defaultPrevented).toBe(false);
  expect(press(field, "Insert", { shiftKey: true }).defaultPrevented).toBe(false);
  expect(typed).not.toHaveBeenCalled();
  const clipboardData = new DataTransfer();
  clipboardData.setData("text/plain", "echo one");
  field.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true }));
  await expect.poll(() => typed.mock.results.map((one) => one.value)).toEqual(["echo one"]);
  screen.dispose();
});

test("what a program writes is drawn sign by sign", async () => {
  const { screen, place } = drawn();
  screen.write(new TextEncoder().encode("a === b"), () => undefined);
  await expect.poll(() => place.querySelector(".xterm-rows")?.textContent).toContain("===");
  const row = place.querySelector(".xterm-rows span") as Element;
  const { fontFeatureSettings, fontVariantLigatures } = getComputedStyle(row);
  expect([fontFeatureSettings, fontVariantLigatures]).toEqual(['"calt" 0', "none"]);
  screen.dispose();
});

test("while a flood of output is parsed the page goes on to draw", async () => {
  const { screen } = drawn();
  let frames = 0;
  const count = () => {
    frames += 1;
    requestAnimationFrame(count);
  };
  requestAnimationFrame(count);
  const flood = new TextEncoder().encode(`${"y\r\n".repeat(300_000)}the end`);
  await new Promise<void>((done) => screen.write(flood, done));
  expect(frames).toBeGreaterThan(3);
  expect(screen.text().endsWith("y\nthe end")).toBe(true);
  screen.dispose();
});

test("a terminal without the focus shows where typing would go", async () => {
  const { screen, place } = drawn();
  await expect.poll(() => place.querySelector(".xterm-cursor-outline")).not.toBeNull();
  screen.dispose();
});

test("what can only be read is not called an input", () => {
  for (const [output, name] of [
    [null, "Terminal input, F6 leaves it"],
    ["Output of main.py", "Output of main.py"],
  ] as const) {
    const { screen, field } = drawn(output);
    expect(field.getAttribute("aria-label")).toBe(name);
    screen.dispose();
  }
});
