/** The versions of a file: listed, held against the present, and brought back as a version of their own. */
import { expect, test, vi } from "vitest";
import { ExchangeError } from "../../host/exchange";
import { fakeHost } from "../../host/fake";
import { UNSENT_TEXT } from "../../host/fakeDesktopData";
import type { Sync } from "../../host/generated/api/Sync";
import type { Version } from "../../host/generated/api/Version";
import { Here } from "../../host/here";
import { type Exchange, IdeCalls } from "../../host/ide";
import { LiveWorkspace } from "../../host/live";
import { changed, FileHistory, textOf } from "./model";
import type { Past } from "./versions";
import { byDay, formerName, lacking, placeWords, versionWords } from "./words";

async function opened(path = "main.py") {
  const host = fakeHost();
  const live = new LiveWorkspace(new IdeCalls(host.exchange, "w"), host);
  await live.pullFiles();
  const history = new FileHistory(live, path, null);
  await shown(history);
  return { history, files: host.server.files, live };
}

/** In the desktop program; the server has no time for versions until it is back. */
async function openedHere(path: string, at = 0) {
  const host = fakeHost("full", true);
  const { program, desktop } = host;
  if (!program || !desktop) throw new Error("The fake has no desktop program.");
  const server = { away: true };
  const exchange: Exchange = async (method, address, options) => {
    if (server.away && /history\?|restores/.test(address) && !address.includes("of=here"))
      throw new ExchangeError("network", "The server does not answer.", 0);
    return host.exchange(method, address, options);
  };
  const id = program.workspaces[at]?.id ?? "";
  const live = new LiveWorkspace(new IdeCalls(exchange, id), host);
  await live.pullFiles();
  const here = new Here(exchange, id, desktop);
  const history = new FileHistory(live, path, here);
  const save = async (text: string) => {
    const { entry, revision } = await live.calls.write(path, new TextEncoder().encode(text), "any");
    if (entry) live.wrote(path, entry, revision);
  };
  const listed = () =>
    history.state.versions.map((one) => `${one.here ? "here" : "server"} ${one.revision}`);
  const text = () => host.server.files.read(path).text();
  return { history, live, here, server, save, listed, text };
}

/** Waits until both sides are there. */
function shown(history: FileHistory): Promise<void> {
  return new Promise((resolve) => {
    const look = () => {
      const { before, now } = history.state;
      if (before === null || now === null) return;
      stop();
      resolve();
    };
    const stop = history.store.subscribe(look);
    look();
  });
}

test("the version before the present is shown first, against the present", async () => {
  const { history } = await opened();
  expect(history.state.versions.map(({ revision }) => revision)).toEqual([41, 38, 32, 21]);
  expect(history.version?.revision).toBe(38);
  expect(textOf(history.state.before)).not.toBe(textOf(history.state.now));
});

test("older and newer end where the versions end, and what is not kept says so", async () => {
  const { history } = await opened();
  history.step(1);
  history.step(1);
  history.step(1);
  expect(history.version?.revision).toBe(21);
  await shown(history);
  expect(history.state.before).toBe("dropped");
  for (let times = 0; times < 9; times += 1) history.step(-1);
  expect(history.version?.revision).toBe(41);
});

test("restoring adds a version, and what takes it back brings what stood there", async () => {
  const { history, files } = await opened();
  const { version } = history;
  if (!version) throw new Error("None is chosen.");
  const [head, stood] = [files.head, await files.read("main.py").text()];
  const back = await history.restore(version);
  expect(files.head).toBe(head + 1);
  expect(await files.read("main.py").text()).not.toBe(stood);
  await back?.();
  expect(files.head).toBe(head + 2);
  expect(await files.read("main.py").text()).toBe(stood);
});

test("a version is the present one by what it has, wherever it stands", async () => {
  const { history } = await opened();
  const [newest, before] = history.state.versions;
  if (!newest || !before) throw new Error("There are no versions.");
  expect(history.isPresent).toBe(false);
  await history.restore(before);
  await vi.waitUntil(() => history.state.versions[0]?.revision === 42);
  expect(history.version?.revision).toBe(38);
  expect(history.isPresent).toBe(true);
  history.choose(newest);
  expect(history.isPresent).toBe(false);
});

test("what a server never got stands among its versions, and what it got does not stand twice", async () => {
  const { history, server, save, listed } = await openedHere("main.py");
  server.away = false;
  await history.load();
  const past = ["server 41", "here 1", "server 38", "server 32", "server 21"];
  expect(listed()).toEqual(past);
  await save("saved\n");
  await vi.waitUntil(() => history.state.versions.length > past.length);
  expect(listed()).toHaveLength(past.length + 1);
  expect(listed()[0]).toMatch("server");
});

test("without the server what is kept here is listed, restored, and taken back", async () => {
  const { history, save, listed, text } = await openedHere("main.py");
  await save("saved\n");
  await vi.waitUntil(() => history.state.versions.length === 2);
  const [saved, unsent] = history.state.versions;
  expect(lacking(history.state)).toBe(
    "The server does not answer. Its versions come when it is back.",
  );
  if (!unsent || !saved) throw new Error("There are no versions.");
  const back = await history.restore(unsent);
  expect(await text()).toBe(UNSENT_TEXT);
  await back?.();
  expect(await text()).toBe("saved\n");
  await vi.waitUntil(() => history.state.versions.length === 4);
  expect(listed().every((one) => one.startsWith("here"))).toBe(true);
});

test("when the server is back, its versions come, and what was chosen is the server's", async () => {
  const { history, live, server, save, listed } = await openedHere("README.md");
  await save("saved\n");
  await vi.waitUntil(() => history.version?.here === true);
  server.away = false;
  live.store.setState({ connection: { state: "online" } });
  await vi.waitUntil(() => history.version?.here === undefined);
  expect(listed().every((one) => one.startsWith("server"))).toBe(true);
  expect(history.at).toBe(0);
  await shown(history);
  expect(textOf(history.state.before)).toBe("saved\n");
});

test("a save is the server's as soon as sync has brought it there", async () => {
  const { history, here, server, save } = await openedHere("README.md");
  await save("saved\n");
  await vi.waitUntil(() => history.state.versions[0]?.here === true);
  await history.load();
  server.away = false;
  here.store.setState({ sync: { revision: 42, paths: [] } as unknown as Sync });
  await vi.waitUntil(() => history.state.versions[0]?.here === undefined);
});

test("in a workspace that is only here versions begin with the first save, and no server is missed", async () => {
  const { history, server, save, listed } = await openedHere("README.md", 2);
  server.away = false;
  await history.load();
  expect([listed(), lacking(history.state), history.version]).toEqual([[], null, null]);
  await save("one\n");
  await save("two\n");
  await vi.waitUntil(() => history.state.versions.length === 2);
  expect(listed().every((one) => one.startsWith("here"))).toBe(true);
});

test("lines that came and went are counted", () => {
  expect(changed("a\nb\nc\n", "a\nB\nc\nd\n")).toEqual({ added: 2, removed: 1 });
  expect(changed("a\n", "a\n")).toEqual({ added: 0, removed: 0 });
});

test("bytes are no text, and a deleted file is an empty one", () => {
  const side = (...bytes: number[]) => ({ bytes: Uint8Array.from(bytes), hash: "h" });
  expect(textOf(side(104, 105))).toBe("hi");
  expect(textOf(side(1, 0, 2))).toBeNull();
  expect(textOf(side(0xff, 0xfe))).toBeNull();
  expect(textOf("deleted")).toBe("");
  expect(textOf("dropped")).toBeNull();
});

test("each version says who wrote it, on which day and under which name", () => {
  const version = (part: Partial<Past>): Past => ({
    kept: true,
    revision: 1,
    path: "a",
    entry: { path: "a", kind: "file", size: 1, executable: false, revision: 1 },
    previous: "0",
    origin: { kind: "editor" },
    at: "2026-03-12T10:00:00Z",
    ...part,
  });
  const { entry: _entry, ...gone } = version({});
  const { previous: _previous, ...first } = version({});
  expect(versionWords(version({})).word).toBe("Edited");
  expect(versionWords(version({ origin: { kind: "session" } })).word).toBe("Written in a session");
  expect(versionWords(gone).word).toBe("Deleted");
  expect(versionWords(first).word).toBe("Created");
  expect(versionWords(version({ from: "b" })).word).toBe("Moved from b");
  const own = (kind: Version["origin"]["kind"]) =>
    ({ ...first, origin: { kind }, here: true }) as const;
  expect(versionWords(own("editor")).word).toBe("Edited");
  expect(versionWords(own("desktop")).word).toBe("Changed in the folder");
  expect(versionWords(own("session")).word).toBe("From the server");
  expect([version({}), own("editor")].map(placeWords)).toEqual(["revision 1", "on this computer"]);
  expect(formerName(version({}), "a")).toBeNull();
  expect(formerName(version({ path: "src/b.py" }), "src/a.py")).toBe("b.py");
  expect(formerName(version({ path: "src/b.py" }), "lib/b.py")).toBe("src/b.py");
  const now = Date.parse("2026-03-12T12:00:00Z");
  const days = byDay(
    [version({}), version({ at: "2026-03-12T09:00:00Z" }), version({ at: "2026-03-11T09:00:00Z" })],
    now,
  );
  expect(days.map(({ day, versions }) => [day, versions.length])).toEqual([
    ["Today", 2],
    ["Yesterday", 1],
  ]);
});
