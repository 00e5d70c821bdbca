/** What the explorer asks of the server: one commit for each act, and a way back. */
import { expect, test, vi } from "vitest";
import type { Bench } from "../../bench/bench";
import type { Commit } from "../../host/generated/api/Commit";
import { failureOf, isOffline } from "../../host/ide";
import { copyEntries, createEntry, deleteEntries, moveEntries, moveInto } from "./actions";

function setting(files: Record<string, string | null>) {
  const entries = new Map(
    Object.entries(files).map(([path, hash]) => [
      path,
      { path, kind: hash === null ? "folder" : "file", hash: hash ?? undefined, executable: false },
    ]),
  );
  const commits: Commit[] = [];
  const outcome = { result: "applied" } as { result: string; message?: string };
  const restore = vi.fn(async () => undefined);
  const bench = {
    host: { newId: () => "id" },
    live: {
      entries,
      state: { head: 9 },
      pullFiles: async () => undefined,
      calls: {
        takeBack: restore,
        commit: async (commit: Commit) => {
          commits.push(commit);
          return { revision: 10, outcomes: [outcome] };
        },
      },
    },
    open: vi.fn(),
    saveAll: vi.fn(async () => true),
    moved: vi.fn(),
    removed: vi.fn(),
    toast: vi.fn(),
    failed: vi.fn(),
  };
  return { bench: bench as unknown as Bench, mocks: bench, commits, outcome, restore };
}

test("a new file is empty, expects nothing there, and opens", async () => {
  const { bench, mocks, commits } = setting({});
  await createEntry(bench, "a/b.py", false);
  expect(commits[0]?.operations[0]).toMatchObject({ path: "a/b.py", expect: "absent", text: "" });
  expect(mocks.open).toHaveBeenCalledWith("a/b.py");
});

test("what is refused is said and changes nothing here", async () => {
  const { bench, mocks, outcome } = setting({ a: "h1" });
  Object.assign(outcome, { result: "rejected", message: "No room." });
  await expect(moveEntries(bench, [{ from: "a", to: "b" }])).rejects.toThrow("No room.");
  expect(await moveInto(bench, ["a"], "d")).toBe(false);
  expect(mocks.moved).not.toHaveBeenCalled();
  const [[error, what]] = mocks.failed.mock.calls as [[unknown, string]];
  expect(`${what} ${failureOf(error).detail}`).toBe("Nothing was moved. No room.");
  expect(isOffline(failureOf(error))).toBe(false);
});

test("a move names the content it moves; a folder never goes into itself, nor twice", async () => {
  const { bench, mocks, commits } = setting({ src: null, "src/a": "h1", b: "h2" });
  expect(await moveEntries(bench, [{ from: "src", to: "src/in" }])).toBe(false);
  await moveEntries(bench, [
    { from: "src", to: "lib/src" },
    { from: "src/a", to: "lib/a" },
    { from: "b", to: "lib/b" },
  ]);
  expect(commits[0]?.operations).toEqual([
    { path: "lib/src", from: "src", executable: false, expect: "folder" },
    { path: "lib/b", from: "b", executable: false, expect: { content: "h2" } },
  ]);
  expect(mocks.moved).toHaveBeenCalledTimes(2);
});

test("a copy takes everything below, by content, beside what has its name", async () => {
  const { bench, commits } = setting({ src: null, "src/a": "h1", "src copy": null });
  await copyEntries(bench, ["src", "src/a"], "");
  expect(commits[0]?.operations).toEqual([
    { path: "src copy 2", expect: "absent", kind: "folder", executable: false },
    { path: "src copy 2/a", expect: "absent", kind: "file", hash: "h1", executable: false },
  ]);
});

test("a delete can be taken back for as long as its message stays", async () => {
  const { bench, mocks, restore } = setting({ a: "h1", "d/x": "h2" });
  await deleteEntries(bench, ["a", "d", "d/x"]);
  expect(mocks.removed.mock.calls).toEqual([["a"], ["d"]]);
  const message = mocks.toast.mock.calls[0]?.[0];
  expect(message).toMatchObject({ text: "2 items were deleted" });
  message.action.run();
  await vi.waitFor(() =>
    expect(restore.mock.calls).toEqual([
      [9, "a"],
      [9, "d"],
    ]),
  );
});
