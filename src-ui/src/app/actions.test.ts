/** The registry of actions: keys are unique, each tells why it cannot be done, and chords read as they are pressed. */
import { expect, test, vi } from "vitest";
import { createStore } from "zustand/vanilla";
import { action, capsOf, chordOf, entryOf, hintOf } from "../bench/actions";
import { actionsOf } from "./actions";
import type { Workbench } from "./workbench";

vi.mock("./regions", () => ({ moveBetweenRegions: vi.fn() }));

function registry(active: string | null, online: boolean) {
  const startRun = vi.fn();
  const live = {
    entries: new Map(),
    state: {
      runs: [],
      session: null,
      sessionTold: true,
      connection: online ? { state: "online" } : { state: "waiting", attempt: 3, nextAt: 0 },
    },
    liveSession: null,
  };
  const tabs = active ? [{ path: active }, { path: "other.py" }] : [];
  const workbench = {
    bench: { startRun, live, here: null, editor: createStore(() => ({ active })) },
    editor: {
      tabs: { store: createStore(() => ({ active, tabs })) },
      facts: createStore(() => ({ line: active ? 1 : 0, indent: "Spaces: 4", ending: "LF" })),
      close: vi.fn(),
    },
    explorer: {
      chosen: () => [],
      store: createStore(() => ({ clip: null })),
      tree: { kind: () => undefined },
    },
    terminals: { store: createStore(() => ({ active: null, tabs: [] })), readsAloud: false },
    frame: createStore(() => ({})),
    main: { conflict: () => null, versions: () => null },
    own: () => [action("app.workspaces", "Show all workspaces", "list", vi.fn())],
  } as unknown as Workbench;
  const actions = actionsOf(workbench);
  const find = (id: string) => actions.find((one) => one.id === id);
  return { actions, find, startRun };
}

test("no two actions share an id, and none that is heard shares a key", () => {
  const { actions } = registry("main.py", true);
  const keys = actions.filter((one) => !one.told).flatMap((one) => one.keys);
  expect(new Set(keys).size).toBe(keys.length);
  expect(new Set(actions.map((one) => one.id)).size).toBe(actions.length);
});

test("no key of an editor is taken from it", () => {
  const { actions } = registry("main.py", true);
  const keys = actions.filter((one) => !one.told).flatMap((one) => one.keys);
  // Delete line, comment, select all of a word, go to line, find: hands know them.
  for (const theirs of ["Ctrl+Shift+K", "Ctrl+/", "Ctrl+D", "Ctrl+G", "Ctrl+F", "F2", "Delete"])
    expect(keys).not.toContain(theirs);
});

test("what cannot be done says why", () => {
  expect(registry(null, true).find("run.start")?.unavailable).toBe("Open a file that can be run");
  expect(registry("main.py", false).find("run.start")?.unavailable).toBe(
    "The server does not answer",
  );
  expect(registry(null, true).find("editor.close")?.unavailable).toBe("No file is open");
  expect(registry(null, true).find("file.rename")?.unavailable).toBe(
    "Choose a file or folder first",
  );
  expect(registry(null, true).find("session.stop")?.unavailable).toBe("No session is running");
  expect(registry(null, false).find("session.stop")?.unavailable).toBe(
    "The server does not answer",
  );
  const { find, startRun } = registry("main.py", true);
  expect(find("run.start")?.unavailable).toBeNull();
  find("run.start")?.run();
  expect(startRun).toHaveBeenCalledWith({ kind: "file", path: "main.py" });
});

test("menus and tooltips are made of actions", () => {
  const stop = registry("main.py", true).find("run.stop");
  if (!stop) throw new Error("there is no run.stop");
  expect(entryOf(stop)).toMatchObject({
    label: "Stop the run",
    keys: "Shift+F5",
    disabled: "Nothing runs",
  });
  expect(hintOf(stop)).toBe("Stop the run (Shift+F5): Nothing runs");
});

test("chords are written as actions write them", () => {
  const press = (key: string, mods: Partial<KeyboardEvent> = {}) =>
    chordOf({ key, ctrlKey: false, metaKey: false, altKey: false, shiftKey: false, ...mods });
  expect(press("p", { ctrlKey: true })).toBe("Ctrl+P");
  expect(press("P", { metaKey: true, shiftKey: true })).toBe("Ctrl+Shift+P");
  expect(press("F1")).toBe("F1");
  expect(press("PageUp", { ctrlKey: true })).toBe("Ctrl+PageUp");
  // With Shift the key below Escape gives another sign, and on some layouts it makes accents.
  expect(press("~", { ctrlKey: true, shiftKey: true, code: "Backquote" })).toBe("Ctrl+Shift+`");
  expect(press("Dead", { ctrlKey: true, code: "Backquote" })).toBe("Ctrl+`");
  expect(capsOf("Ctrl+Shift+`")).toEqual(["Ctrl", "Shift", "`"]);
  expect(capsOf("Ctrl++")).toEqual(["Ctrl", "+"]);
});
