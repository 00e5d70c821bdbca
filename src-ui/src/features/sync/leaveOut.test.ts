/** Leaving a file out is one line more in the rules, which means that file alone. */
import { expect, test } from "vitest";
import type { Bench } from "../../bench/bench";
import { fakeHost } from "../../host/fake";
import { IdeCalls } from "../../host/ide";
import { LiveWorkspace } from "../../host/live";
import { leaveOut, ruleOf } from "./leaveOut";

async function scene() {
  const host = fakeHost("full", true);
  const id = host.program?.workspaces[0]?.id ?? "";
  const live = new LiveWorkspace(new IdeCalls(host.exchange, id), host);
  await live.pullFiles();
  const said: string[] = [];
  const bench = {
    live,
    saveAll: async () => true,
    toast: ({ text }: { text: string }) => said.push(text),
    failed: (_: unknown, what: string) => said.push(what),
  } as unknown as Bench;
  return { bench, said, files: host.server.files };
}

test("the first line makes the file of rules, the next one keeps what is in it", async () => {
  const { bench, said, files } = await scene();
  await leaveOut(bench, "data/raw.bin");
  expect(await files.read(".slipwayignore").text()).toBe("/data/raw.bin\n");
  files.write(".slipwayignore", "*.tmp\n!keep.tmp", "*");
  await leaveOut(bench, "data/raw.bin");
  expect(await files.read(".slipwayignore").text()).toBe("*.tmp\n!keep.tmp\n/data/raw.bin\n");
  expect(said[0]).toBe("raw.bin stays on this computer alone.");
});

test("signs in a name mean themselves", () => {
  expect(ruleOf("a/b.bin")).toBe("/a/b.bin");
  expect(ruleOf("#x [1]*?.bin")).toBe("/#x \\[1]\\*\\?.bin");
});
