/** The editor of a workspace: tabs that close keep their edits, and a session that ends early touches nothing. */
import { beforeEach, expect, test, vi } from "vitest";
import { MemoryDrafts } from "../../host/drafts";
import type { Host } from "../../host/host";
import { EditorSession } from "./session";
import { BrowserTab, calm, Hub, type PlainText, quiet } from "./simulation";

const gate = vi.hoisted(() => ({
  arrived: Promise.resolve(),
  made: vi.fn(),
}));

vi.mock("./monaco", async () => {
  await gate.arrived;
  const { PlainText } = await import("./simulation");
  class MonacoText extends PlainText {
    readonly model = null;
    constructor(_workspace: string, path: string, text: string) {
      super(text);
      gate.made(path);
    }
  }
  return { MonacoText, applyTheme: () => undefined };
});

beforeEach(() => {
  vi.resetModules();
  gate.made.mockClear();
  gate.arrived = Promise.resolve();
  vi.stubGlobal("addEventListener", vi.fn());
  vi.stubGlobal("removeEventListener", vi.fn());
  vi.stubGlobal("document", { addEventListener: vi.fn(), removeEventListener: vi.fn() });
});

function setting() {
  const hub = new Hub();
  for (const path of ["a", "b"]) hub.put(path, "one\n");
  const drafts = new MemoryDrafts();
  // A tab with its network and clock, of which only these are used.
  const tab = new BrowserTab("t", hub, drafts, () => new Set(["t"]));
  const memory = new Map<string, string>();
  const host = {
    drafts,
    tab: Promise.resolve({ id: "t", living: async () => new Set(["t"]) }),
    kept: {
      get: (key: string) => memory.get(key) ?? null,
      set: (key: string, value: string) => void memory.set(key, value),
      remove: (key: string) => void memory.delete(key),
    },
    after: tab.after,
    now: () => 0,
  } as unknown as Host;
  return { hub, tab, host, drafts, session: new EditorSession(tab.live, host) };
}

test("a session that ends before the editor has arrived makes no texts", async () => {
  let arrive = () => {};
  gate.arrived = new Promise((resolve) => {
    arrive = resolve;
  });
  const { session, tab } = setting();
  session.open("a");
  session.dispose();
  arrive();
  await expect(session.buffers).rejects.toThrow("closed");
  await quiet([tab]);
  expect(gate.made).not.toHaveBeenCalled();
});

test("a tab closed while offline is gone at once, and its edit is saved when the server is back", async () => {
  const { session, tab, hub } = setting();
  await quiet([tab]);
  const buffers = await session.buffers;
  session.open("a");
  await calm();
  await quiet([tab]);
  tab.connect(false);
  (buffers.model("a") as unknown as PlainText).become("two\n");
  session.close("a");
  expect(session.tabs.has("a")).toBe(false);
  expect(session.facts.getState().badges.get("a")).toBe("saving");
  await calm();
  expect(session.facts.getState().badges.get("a")).toBe("waiting");
  expect(session.facts.getState().waitingBytes).toBe(4);
  await quiet([tab]);
  expect(hub.text("a")).toBe("two\n");
  expect(session.facts.getState().badges.size).toBe(0);
});

test("a conflict behind a closed tab brings its tab back", async () => {
  const { session, tab, hub } = setting();
  await quiet([tab]);
  const buffers = await session.buffers;
  session.open("a");
  await calm();
  await quiet([tab]);
  tab.connect(false);
  (buffers.model("a") as unknown as PlainText).become("mine\n");
  session.close("a");
  hub.put("a", "theirs\n");
  await quiet([tab]);
  expect(session.tabs.has("a")).toBe(true);
  session.close("a");
  expect(session.tabs.has("a")).toBe(true);
});

test("deleting closes what is saved and keeps what is not", async () => {
  const { session, tab, hub } = setting();
  await quiet([tab]);
  const buffers = await session.buffers;
  for (const path of ["a", "b"]) {
    session.open(path);
    await calm();
    await quiet([tab]);
  }
  (buffers.model("b") as unknown as PlainText).become("mine\n");
  for (const path of ["a", "b"]) hub.delete(path);
  for (const path of ["a", "b"]) session.removed(path);
  await quiet([tab]);
  expect(session.tabs.has("a")).toBe(false);
  expect(session.tabs.has("b")).toBe(true);
  expect(buffers.info("b")).toMatchObject({ gone: true, save: "unsaved" });
  expect(hub.text("b")).toBeNull();
});

test("typing pins a preview; a change from elsewhere does not", async () => {
  const { session, tab, hub } = setting();
  await quiet([tab]);
  const buffers = await session.buffers;
  session.open("a", { preview: true });
  await calm();
  await quiet([tab]);
  hub.put("a", "elsewhere\n");
  await quiet([tab]);
  expect(session.tabs.store.getState().tabs).toEqual([{ path: "a", preview: true }]);
  (buffers.model("a") as unknown as PlainText).become("typed\n");
  expect(session.tabs.store.getState().tabs).toEqual([{ path: "a", preview: false }]);
});
