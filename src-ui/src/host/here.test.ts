/** A workspace of this machine is read anew when the program tells that it moved, and only then. */
import { expect, test } from "vitest";
import { fakeHost } from "./fake";
import { Here } from "./here";

function opened() {
  const host = fakeHost("full", true);
  const { program, desktop } = host;
  if (!program || !desktop) throw new Error("the fake has no desktop program");
  const id = program.workspaces[0]?.id ?? "";
  const here = new Here(host.exchange, id, desktop);
  here.open();
  return { here, program, id };
}

async function settled(here: Here): Promise<void> {
  await Promise.all([here.pullSync(), here.pullWorkspace()]);
}

test("its folder, its sync and its conflicts are known, and paths say how they stand", async () => {
  const { here } = opened();
  await settled(here);
  expect(here.state.workspace?.name).toBe("harbor-tides");
  expect(here.state.sync?.held?.many).toBe(47);
  expect(here.state.byPath.get("main.py")).toBe("waiting");
  expect(here.state.byPath.get("data/raw.bin")).toBe("blocked");
  expect(here.state.byPath.get("stations.py")).toBe("conflict");
});

test("what is resolved is gone, with the copy", async () => {
  const { here } = opened();
  await settled(here);
  await here.resolve("notes (conflict of quay).md", false);
  expect(here.state.conflicts.map(({ path }) => path)).not.toContain("notes.md");
  expect(here.state.sync?.conflicts).toBe(2);
});

test("it hears of others' moves without reading, and of its own", async () => {
  const { here, program, id } = opened();
  await settled(here);
  const sync = program.syncs.get(id);
  if (sync) sync.paths = [];
  program.tell({ told: "sync", workspace: "another" });
  expect(here.state.byPath.has("main.py")).toBe(true);
  program.tell({ told: "sync", workspace: id });
  await settled(here);
  expect(here.state.byPath.has("main.py")).toBe(false);
  here.close();
});

test("what only this computer has can be given to the server", async () => {
  const { program } = opened();
  const host = fakeHost("full", true);
  const local = program.workspaces.find((one) => !one.remote);
  if (!local || !host.desktop) throw new Error("every workspace has a server");
  const here = new Here(host.exchange, local.id, host.desktop);
  await settled(here);
  expect(here.state.workspace?.remote).toBeUndefined();
  await here.upload("tide-notes");
  expect(here.state.workspace?.remote?.address).toBe("https://slipway.example.org");
});

test("where no server knows the files, none of them waits", async () => {
  const host = fakeHost("full", true);
  const local = host.program?.workspaces.find((one) => !one.remote);
  if (!local || !host.desktop) throw new Error("every workspace has a server");
  const sync = host.program?.syncs.get(local.id);
  sync?.paths.push({ path: "a.py", state: "waiting", bytes: 1, moved: 0 });
  const here = new Here(host.exchange, local.id, host.desktop);
  await settled(here);
  expect(here.state.sync?.state).toBe("local");
  expect(here.state.byPath.size).toBe(0);
});
