/** The program as a package installed it: a folder is opened, a file of it edited, and the edit is on the disk. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { desktop, until } from "./driver.mjs";

const [binary, home, picture] = process.argv.slice(2);
if (!picture) throw new Error("usage: installed.mjs PROGRAM HOME PICTURE");

const folder = join(home, "tides");
mkdirSync(folder, { recursive: true });
const file = join(folder, "tides.py");
writeFileSync(file, "print('low water')\n");
const window = await desktop({ binary, args: ["open", file], home });
try {
  await window.click(".monaco-editor .view-lines");
  await window.type("# high water ");
  await until("the edit is on the disk", () => readFileSync(file, "utf8").includes("# high water"));
} finally {
  await window.screenshot(picture).catch(() => undefined);
  await window.stop();
}
console.log("a file was edited through the installed program");
