// Holds what the sign-in page loads first against its budget, in bytes of brotli.
import { readFileSync, statSync } from "node:fs";

const BUDGET = 110 * 1024;
const html = readFileSync("dist/index.html", "utf8");
const files = [...html.matchAll(/(?:src|href)="(\/assets\/[^"]+\.(?:js|css))"/g)].map(
  (match) => match[1],
);
const total = files.reduce((sum, file) => sum + statSync(`dist${file}.br`).size, 0);
console.log(
  `sign-in page: ${(total / 1024).toFixed(1)} KiB in ${files.length} files, budget ${BUDGET / 1024} KiB`,
);
if (files.length === 0 || total > BUDGET) process.exit(1);
