// The page as the desktop program shows it, on the fake host and from its sources: for journeys that need no server.
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { test as base } from "@playwright/test";

/** The page without any server, from its sources. */
export const test = base.extend<object, { fake: string }>({
  fake: [
    async ({}, use) => {
      const args = ["vite", "--mode", "fake", "--host", "127.0.0.1", "--port", "5198"];
      const env = { ...process.env, NO_COLOR: "1" };
      const child = spawn("npx", args, { cwd: "../../src-ui", env, detached: true });
      try {
        await use(await addressOf(child));
      } finally {
        // With what it started itself.
        if (child.pid) process.kill(-child.pid, "SIGTERM");
      }
    },
    { scope: "worker" },
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
