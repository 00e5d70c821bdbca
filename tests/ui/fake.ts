// The page as the desktop program shows it, built on the fake host: for journeys that need no server.
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { resolve } from "node:path";
import { createInterface } from "node:readline";
import { test as base } from "@playwright/test";

const PAGE = resolve("../../src-ui");
const BUILT = resolve("results/fake");
const VITE = resolve(PAGE, "node_modules/vite/bin/vite.js");

/** The page without any server. Built, since one that is served from its sources loads itself anew when it likes. */
export const test = base.extend<object, { fake: string }>({
  fake: [
    async ({}, use) => {
      const built = spawnSync(process.execPath, [VITE, "build", "--mode", "fake", "--emptyOutDir", "--outDir", BUILT], {
        cwd: PAGE,
        encoding: "utf8",
      });
      if (built.status !== 0) throw new Error(`the page was not built: ${built.stdout}${built.stderr}`);
      const child = spawn(process.execPath, [VITE, "preview", "--host", "127.0.0.1", "--port", "5198", "--outDir", BUILT], {
        cwd: PAGE,
        env: { ...process.env, NO_COLOR: "1" },
      });
      try {
        await use(await addressOf(child));
      } finally {
        child.kill();
      }
    },
    { scope: "worker", timeout: 180_000 },
  ],
});

async function addressOf(child: ChildProcess): Promise<string> {
  if (!child.stdout) throw new Error("vite has no output");
  for await (const line of createInterface({ input: child.stdout })) {
    const found = /http:\/\/127\.0\.0\.1:\d+/.exec(line);
    if (!found) continue;
    child.stdout.resume();
    return found[0];
  }
  throw new Error("vite ended before it was ready");
}
