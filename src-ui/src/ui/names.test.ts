/** Names: what the server refuses is refused before it is sent, with a sentence. */
import { expect, test } from "vitest";
import { nameProblem } from "./names";

test("what cannot live everywhere is refused", () => {
  for (const name of [
    "",
    ".",
    "..",
    "a\u0000b",
    "a\nb",
    "CON",
    "nul.txt",
    "com¹.log",
    "LPT0",
    "what?",
    "a\\b",
    "a/b",
    "end.",
    "end ",
    ".Slipway",
    "x".repeat(256),
    "é".repeat(128),
  ])
    expect(nameProblem(name), JSON.stringify(name)).toMatch(/\.$/);
});

test("ordinary names pass", () => {
  for (const name of [
    "main.py",
    ".gitignore",
    "日本.txt",
    "CONSOLE",
    "com10",
    "a b",
    "x".repeat(255),
  ])
    expect(nameProblem(name), name).toBeNull();
});
