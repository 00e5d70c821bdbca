/** The editor of a workspace: tabs that close keep their edits, and one that is closed early touches nothing. */
import { beforeEach, expect, test, vi } from "vitest";
import { MemoryDrafts } from "../../host/drafts";
import type { Host } from "../../host/host";
import { Editor } from "./editor";
import { BrowserTab, calm, Hub, type PlainText, quiet } from "./simulation";

const gate = {
  arrived: Promise.resolve(),
  made: vi.fn(),
};

async function monaco() {
  await gate.arrived;
  const { PlainText } = await import("./simulation");
  class MonacoText extends PlainText {
    readonly model = null;
    constructor(_workspace: string, path: string, text: string) {
      super(text);
      gate.made(path);
    }
  }
  return { MonacoText, applyTheme: () => undefined, measureOurFace: () => undefined };
}

beforeEach(() => {
  vi.resetModules();
  vi.doMock("./monaco", monaco);
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
  return { hub, tab, host, drafts, editor: new Editor(tab.live, host) };
}

/** Monaco is there, and what was asked for has come to rest. */
async function ready() {
  const all = setting();
  const { editor, tab } = all;
  await quiet([tab]);
  const buffers = await editor.buffers;
  const open = async (...args: Parameters<Editor["open"]>) => {
    editor.open(...args);
    await calm();
    await quiet([tab]);
  };
  const type = (path: string, text: string) =>
    (buffers.model(path) as unknown as PlainText).become(text);
  /** Types over a text while offline, and closes its tab. */
  const leave = (path: string, text: string) => {
    tab.connect(false);
    type(path, text);
    editor.close(path);
  };
  return { ...all, buffers, open, type, leave };
}

test("an editor closed before Monaco has arrived makes no texts", async () => {
  let arrive = () => {};
  gate.arrived = new Promise((resolve) => {
    arrive = resolve;
  });
  const { editor, tab } = setting();
  editor.open("a");
  editor.dispose();
  arrive();
  await expect(editor.buffers).rejects.toThrow("closed");
  await quiet([tab]);
  expect(gate.made).not.toHaveBeenCalled();
});

/** Monaco is on its way, and a file is shown. */
async function waiting() {
  let arrive = () => {};
  gate.arrived = new Promise((resolve) => {
    arrive = resolve;
  });
  const all = setting();
  const { editor, tab, hub } = all;
  const asked = vi.spyOn(tab.live.calls, "read");
  editor.open("a");
  await quiet([tab]);
  expect(tab.live.state.head).toBe(hub.head);
  return { ...all, arrive, asked };
}

test("the file that is shown is read while Monaco is on its way", async () => {
  const { editor, tab, arrive, asked } = await waiting();
  expect(asked.mock.calls).toEqual([["a"]]);
  expect(gate.made).not.toHaveBeenCalled();
  arrive();
  const buffers = await editor.buffers;
  await quiet([tab]);
  expect(asked).toHaveBeenCalledTimes(1);
  expect(gate.made.mock.calls).toEqual([["a"]]);
  expect(buffers.model("a")?.text()).toBe("one\n");
});

test("a tab that is closed before Monaco has arrived leaves no text behind", async () => {
  const { editor, tab, arrive } = await waiting();
  editor.close("a");
  arrive();
  const buffers = await editor.buffers;
  await quiet([tab]);
  expect(buffers.info("a")).toBeNull();
});

test("a tab closed while offline is gone at once, and its edit is saved when the server is back", async () => {
  const { editor, tab, hub, open, leave } = await ready();
  await open("a");
  leave("a", "two\n");
  expect(editor.tabs.has("a")).toBe(false);
  expect(editor.facts.getState().badges.get("a")).toBe("saving");
  await calm();
  expect(editor.facts.getState().badges.get("a")).toBe("waiting");
  expect(editor.facts.getState().waitingBytes).toBe(4);
  await quiet([tab]);
  expect(hub.text("a")).toBe("two\n");
  expect(editor.facts.getState().badges.size).toBe(0);
});

test("a conflict behind a closed tab brings its tab back", async () => {
  const { editor, tab, hub, open, leave } = await ready();
  await open("a");
  leave("a", "mine\n");
  hub.put("a", "theirs\n");
  await quiet([tab]);
  expect(editor.tabs.has("a")).toBe(true);
  editor.close("a");
  expect(editor.tabs.has("a")).toBe(true);
});

test("deleting closes what is saved and keeps what is not", async () => {
  const { editor, tab, hub, buffers, open, type } = await ready();
  for (const path of ["a", "b"]) await open(path);
  type("b", "mine\n");
  for (const path of ["a", "b"]) hub.delete(path);
  for (const path of ["a", "b"]) editor.removed(path);
  await quiet([tab]);
  expect(editor.tabs.has("a")).toBe(false);
  expect(editor.tabs.has("b")).toBe(true);
  expect(buffers.info("b")).toMatchObject({ gone: true, save: "unsaved" });
  expect(hub.text("b")).toBeNull();
});

test("typing pins a preview; a change from elsewhere does not", async () => {
  const { editor, tab, hub, open, type } = await ready();
  await open("a", { preview: true });
  hub.put("a", "elsewhere\n");
  await quiet([tab]);
  expect(editor.tabs.store.getState().tabs).toEqual([{ path: "a", preview: true }]);
  type("a", "typed\n");
  expect(editor.tabs.store.getState().tabs).toEqual([{ path: "a", preview: false }]);
});
