/** The versions of a file: listed, held against the present, and brought back as a version of their own. */
import { expect, test, vi } from "vitest";
import { fakeHost } from "../../host/fake";
import type { Version } from "../../host/generated/api/Version";
import { IdeCalls } from "../../host/ide";
import { LiveWorkspace } from "../../host/live";
import { changed, FileHistory, textOf } from "./model";
import { byDay, formerName, versionWords } from "./words";

async function opened(path = "main.py") {
  const host = fakeHost();
  const live = new LiveWorkspace(new IdeCalls(host.exchange, "w"), host);
  await live.pullFiles();
  const history = new FileHistory(live, path);
  await shown(history);
  return { history, files: host.server.files, live };
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

test("restoring adds a version, and answers the one to go back to", async () => {
  const { history, files } = await opened();
  const before = files.head;
  const newest = await history.restore();
  expect(newest?.revision).toBe(41);
  expect(files.head).toBe(before + 1);
});

test("a version is the present one by what it has, wherever it stands", async () => {
  const { history } = await opened();
  const [newest] = history.state.versions;
  expect(history.isPresent).toBe(false);
  await history.restore();
  await vi.waitUntil(() => history.state.versions[0]?.revision === 42);
  expect(history.version?.revision).toBe(38);
  expect(history.isPresent).toBe(true);
  history.choose(newest ?? null);
  expect(history.isPresent).toBe(false);
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
  const version = (part: Partial<Version>): Version => ({
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
