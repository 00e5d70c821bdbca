/** The registry of actions: keys are unique, each tells why it cannot be done, and chords read as they are pressed. */

import { expect, test, vi } from "vitest";
import { createStore } from "zustand/vanilla";
import { actionsOf, chordOf } from "./actions";
import type { Workbench } from "./workbench";

function bench(active: string | null, online: boolean) {
  const startRun = vi.fn();
  const workbench = {
    bench: { startRun, newTerminal: vi.fn() },
    editor: { tabs: createStore(() => ({ active })), close: vi.fn() },
    explorer: {},
    frame: createStore(() => ({})),
    live: {
      entries: new Map(),
      state: { runs: [], connection: { state: online ? "online" : "waiting" } },
      liveSession: null,
    },
  } as unknown as Workbench;
  const actions = actionsOf(workbench, { ask: vi.fn(), shortcuts: vi.fn() });
  const find = (id: string) => actions.find((action) => action.id === id);
  return { actions, find, startRun };
}

test("no two actions share a key or an id", () => {
  const { actions } = bench("main.py", true);
  const keys = actions.flatMap((action) => action.keys);
  expect(new Set(keys).size).toBe(keys.length);
  expect(new Set(actions.map((action) => action.id)).size).toBe(actions.length);
});

test("what cannot be done says why", () => {
  expect(bench(null, true).find("run.start")?.unavailable).toBe("Open a file that can be run.");
  expect(bench("main.py", false).find("run.start")?.unavailable).toBe(
    "The server is not connected.",
  );
  expect(bench(null, true).find("file.close")?.unavailable).toBe("No file is open.");
  const { find, startRun } = bench("main.py", true);
  expect(find("run.start")?.unavailable).toBeNull();
  find("run.start")?.run();
  expect(startRun).toHaveBeenCalledWith({ kind: "file", path: "main.py" });
});

test("chords are written as actions write them", () => {
  const press = (key: string, mods: Partial<KeyboardEvent> = {}) =>
    chordOf({ key, ctrlKey: false, metaKey: false, altKey: false, shiftKey: false, ...mods });
  expect(press("p", { ctrlKey: true })).toBe("Ctrl+P");
  expect(press("P", { metaKey: true, shiftKey: true })).toBe("Ctrl+Shift+P");
  expect(press("F1")).toBe("F1");
  expect(press("PageUp", { ctrlKey: true })).toBe("Ctrl+PageUp");
});
