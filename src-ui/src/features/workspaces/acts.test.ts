/** Names of workspaces: what the server refuses is refused before it is sent. */
import { expect, test } from "vitest";
import { WORKSPACE_NAME_CHARS_MAX } from "../../host/generated/limits";
import { nameProblem } from "./acts";

test("a name that is none, too long or not to be seen is refused for what it is", () => {
  expect(nameProblem("  ")).toBe("Give a name.");
  expect(nameProblem("é".repeat(WORKSPACE_NAME_CHARS_MAX))).toBeNull();
  expect(nameProblem("é".repeat(WORKSPACE_NAME_CHARS_MAX + 1))).toContain("at most");
  for (const sign of ["\t", "\u0000", "\u200b", "\u200e", "\u202e", "\u2067", "\u061c"])
    expect(nameProblem(`a${sign}b`), JSON.stringify(sign)).toContain("cannot be seen");
  for (const name of [" Möwe 日本 🌊 ", "👩\u200d🚀 Tides", "می\u200cخواهم"])
    expect(nameProblem(name), name).toBeNull();
});
