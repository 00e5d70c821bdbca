/** Which keys reach the program in a terminal. */
import { expect, test } from "vitest";
import { skipsShell } from "./keys";

test("a program in a terminal keeps its keys", () => {
  // nano saves with Ctrl+S, readline moves with Alt+N and Ctrl+W, full-screen programs use the function keys.
  for (const chord of [
    "Ctrl+S",
    "Alt+N",
    "Alt+W",
    "Ctrl+W",
    "Ctrl+PageUp",
    "F2",
    "Shift+F5",
    "Ctrl+G",
  ])
    expect(skipsShell(chord), chord).toBe(false);
});

test("the frame stays within reach", () => {
  for (const chord of [
    "F6",
    "Shift+F6",
    "F1",
    "Alt+F1",
    "Alt+F2",
    "Ctrl+Shift+P",
    "Ctrl+Shift+E",
    "Ctrl+P",
    "Ctrl+`",
  ])
    expect(skipsShell(chord), chord).toBe(true);
});
