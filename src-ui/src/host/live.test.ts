/** A live workspace: answers may overtake each other, and no failure goes unheard. */
import { expect, test } from "vitest";
import type { Connection, ConnectionStatus } from "./connection";
import type { Change } from "./generated/api/Change";
import type { Entry } from "./generated/api/Entry";
import { type Exchange, IdeCalls } from "./ide";
import { LiveWorkspace, type Moved } from "./live";
import type { Socket } from "./socket";
import { MemoryTrees } from "./trees";

const entry = (path: string, revision: number): Entry => ({
  path,
  kind: "file",
  size: 1,
  hash: `h${revision}`,
  executable: false,
  revision,
});
const change = (path: string, revision: number, there = true): Change =>
  ({ path, revision, ...(there ? { entry: entry(path, revision) } : {}) }) as Change;

/** A workspace whose answers are scripted, by the end of the path. */
function opened(answers: Record<string, () => unknown>, trees = new MemoryTrees()) {
  const exchange: Exchange = async (_method, path) => {
    const found = Object.entries(answers).find(([end]) => path.includes(end));
    return Response.json(found ? await found[1]() : path.endsWith("/runs") ? { runs: [] } : null);
  };
  const socket = {
    open: () => ({ send: () => true, close: () => undefined }),
  } as unknown as Socket;
  let hear: (status: ConnectionStatus) => void = () => undefined;
  const connection = {
    status: { state: "online" },
    watch: (listener: typeof hear) => {
      hear = listener;
      return () => undefined;
    },
  } as unknown as Connection;
  const live = new LiveWorkspace(new IdeCalls(exchange, "w"), {
    socket,
    connection,
    trees,
    after: () => () => undefined,
    now: () => 0,
  });
  const told: (readonly Moved[] | "reset")[] = [];
  live.onChanges((changes) => told.push(changes));
  return { live, told, become: (status: ConnectionStatus) => hear(status) };
}

const fail = (code: string, status: number) => () => {
  throw { code, detail: code, status };
};

test("what a write answered is not taken over something newer", async () => {
  const { live, told } = opened({
    "/tree": () => ({ revision: 5, entries: [entry("a", 5)] }),
  });
  await live.pullFiles();
  live.wrote("a", entry("a", 4), 4);
  expect(live.entries.get("a")?.hash).toBe("h5");
  live.wrote("a", entry("a", 7), 7);
  live.wrote("a", entry("a", 6), 6);
  expect(live.entries.get("a")?.hash).toBe("h7");
  expect(told.length).toBe(2);
});

test("changes and trees from before a write do not undo it", async () => {
  const { live } = opened({
    "/tree": () => ({ revision: 5, entries: [entry("a", 5)] }),
    "/changes": () => ({ head: 6, changes: [change("a", 6), change("b", 6, false)], more: false }),
  });
  await live.pullFiles();
  live.wrote("a", entry("a", 8), 8);
  live.wrote("b", entry("b", 7), 7);
  await live.pullFiles();
  expect(live.entries.get("a")?.hash).toBe("h8");
  expect(live.entries.get("b")?.hash).toBe("h7");
});

test("a journal that no longer reaches back is replaced by the whole tree", async () => {
  let reach = false;
  const { live, told } = opened({
    "/tree": () => ({ revision: 9, entries: [entry(reach ? "new" : "old", 9)] }),
    "/changes": () => fail("revision_unknown", 410)(),
  });
  await live.pullFiles();
  reach = true;
  await live.pullFiles();
  expect([...live.entries.keys()]).toEqual(["new"]);
  expect(told).toEqual(["reset", "reset"]);
});

test("a tree that fails after such a journal is a failure, not an unhandled one", async () => {
  let gone = false;
  const { live } = opened({
    "/tree": () => (gone ? fail("not_found", 404)() : { revision: 9, entries: [] }),
    "/changes": () => fail("revision_unknown", 410)(),
  });
  await live.pullFiles();
  gone = true;
  await expect(live.pullFiles()).resolves.toBeUndefined();
  expect(live.state).toMatchObject({ loaded: "ready", failure: { code: "not_found" } });
});

test("an unknown workspace is said, and one that cannot be reached is still loading", async () => {
  const unknown = opened({ "/tree": () => fail("not_found", 404)() });
  await unknown.live.pullFiles();
  expect(unknown.live.state).toMatchObject({ loaded: "failed", failure: { code: "not_found" } });
  const away = opened({ "/tree": () => fail("network", 0)() });
  await away.live.pullFiles();
  expect(away.live.state.loaded).toBe("loading");
});

test("what could not be told without a database is asked again when it is back", async () => {
  let away = true;
  const { live, become } = opened({
    "/tree": () => (away ? fail("database_unavailable", 503)() : { revision: 5, entries: [] }),
  });
  live.open();
  become({ state: "no-database", nextAt: 0 });
  await live.pullFiles();
  expect(live.state.loaded).toBe("loading");
  away = false;
  become({ state: "online" });
  await expect.poll(() => live.state.loaded).toBe("ready");
});

test("without a server the tree is shown as it was last seen, and what the server tells replaces it", async () => {
  const trees = new MemoryTrees();
  await opened(
    { "/tree": () => ({ revision: 9, entries: [entry("a", 9)] }) },
    trees,
  ).live.pullFiles();
  let answer = fail("network", 0);
  const { live, told } = opened({ "/tree": () => answer() }, trees);
  await live.pullFiles();
  expect(live.state).toMatchObject({ loaded: "kept", failure: { code: "network" } });
  expect([...live.entries.keys()]).toEqual(["a"]);
  // A server whose data is from a backup: what it does not tell of is not there.
  answer = () => ({ revision: 5, entries: [entry("b", 5)] }) as never;
  await live.pullFiles();
  expect(live.state).toMatchObject({ loaded: "ready", failure: null, head: 5 });
  expect([...live.entries.keys()]).toEqual(["b"]);
  expect(told).toEqual(["reset", "reset"]);
});

test("who knows of the trouble does not wait for the server to refuse", async () => {
  const trees = new MemoryTrees();
  await opened(
    { "/tree": () => ({ revision: 9, entries: [entry("a", 9)] }) },
    trees,
  ).live.pullFiles();
  const { live, become } = opened({ "/tree": () => new Promise(() => undefined) }, trees);
  live.open();
  become({ state: "no-database", nextAt: 0 });
  await expect.poll(() => live.state.loaded).toBe("kept");
});

test("a workspace that the server does not know is not shown as it was", async () => {
  const trees = new MemoryTrees();
  await opened(
    { "/tree": () => ({ revision: 9, entries: [entry("a", 9)] }) },
    trees,
  ).live.pullFiles();
  const { live } = opened({ "/tree": fail("not_found", 404) }, trees);
  await live.pullFiles();
  expect(live.state.loaded).toBe("failed");
});

test("whether a session runs is not known until the server has told", async () => {
  let away = true;
  const { live } = opened({
    "/session": () => (away ? fail("network", 0)() : null),
    "/tree": () => ({ revision: 1, entries: [] }),
  });
  await live.pullSession();
  expect(live.state).toMatchObject({ session: null, sessionTold: false });
  away = false;
  await live.pullSession();
  expect(live.state).toMatchObject({ session: null, sessionTold: true });
});

test("while the server is away what waits for it is listed above what ran before", async () => {
  const ran = { id: "ran", revision: 7, state: "done" };
  const queued = (id: string) => ({ id, revision: 0, state: "queued" });
  let runs: unknown[] = [ran];
  const { live, become } = opened({ "/runs": () => ({ runs, next: "older" }) });
  const ids = () => live.state.runs.map(({ id }) => id);
  live.open();
  live.setLocal("s", true);
  become({ state: "online" });
  await live.pullRuns();
  expect(ids()).toEqual(["ran"]);
  become({ state: "waiting", attempt: 2, nextAt: 1 });
  runs = [queued("a"), queued("b")];
  await live.pullRuns();
  expect(ids()).toEqual(["a", "b", "ran"]);
  expect(live.state.olderRuns).toBe("older");
  runs = [queued("b")];
  await live.pullRuns();
  expect(ids()).toEqual(["b", "ran"]);
});
