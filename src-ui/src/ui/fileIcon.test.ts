/** Icons: a file that names packages is one before it is JSON or text. */
import { expect, test } from "vitest";
import { fileIcon } from "./fileIcon";

test("names tell the icon", () => {
  const found = ["package.json", "requirements-dev.txt", "a.json", "a.PY", "a.tar.gz", "Makefile"];
  expect(found.map(fileIcon)).toEqual([
    "package",
    "package",
    "braces",
    "file-code",
    "archive",
    "file",
  ]);
});
