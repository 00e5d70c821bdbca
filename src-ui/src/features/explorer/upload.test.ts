/** Uploads: one question for taken names, bytes while they go, and a reason for each file that does not. */
import { expect, test, vi } from "vitest";
import type { Bench } from "../../bench/bench";
import { type Exchange, IdeCalls } from "../../host/ide";
import type { LiveWorkspace } from "../../host/live";
import { Tree } from "./tree";
import { Uploads } from "./upload";

interface Sent {
  path: string;
  body: string;
}

function setting(
  paths: readonly string[],
  answer: (sent: Sent) => unknown = () => ({ files: [] }),
) {
  const tree = new Tree();
  for (const path of paths) tree.put(path, "file");
  const sent: Sent[] = [];
  const exchange: Exchange = async (_method, path, options = {}) => {
    const body =
      options.body instanceof Blob ? await options.body.text() : JSON.stringify(options.json);
    const one = { path, body };
    options.progress?.(5, 10);
    if (options.signal?.aborted) throw { code: "cancelled", detail: "Cancelled.", status: 0 };
    sent.push(one);
    return Response.json(await answer(one));
  };
  const live = {
    calls: new IdeCalls(exchange, "w"),
    pullFiles: vi.fn(async () => undefined),
  } as unknown as LiveWorkspace;
  const uploads = new Uploads(live, (path) => tree.inTheWay(path));
  const choose = vi.fn(async (): Promise<string | null> => "skip");
  const bench = { choose, host: { newId: () => "id" } } as unknown as Bench;
  const start = (names: readonly string[], folders: string[] = [], unread: string[] = []) =>
    uploads.start(bench, "in", {
      files: names.map((path) => ({ path, file: new File(["0123456789"], path) })),
      folders,
      unread,
    });
  return { uploads, sent, start, choose, batch: () => uploads.store.getState().batches[0] };
}

test("many files go in one request, with their paths, and empty folders after them", async () => {
  const { sent, start, batch, choose } = setting([]);
  await start(["a.txt", "sub/b.txt"], ["empty"]);
  expect(sent[0]?.path).toBe("/workspaces/w/uploads?folder=in&on_conflict=ask");
  expect(sent[0]?.body).toContain('filename="sub/b.txt"');
  expect(sent[1]?.body).toContain('"in/empty"');
  expect(choose).not.toHaveBeenCalled();
  expect(batch()).toMatchObject({
    label: "2 files",
    state: "done",
    sent: 20,
    total: 20,
    problems: [],
  });
});

test("taken names are asked about once, and nothing goes when nobody chooses", async () => {
  const { sent, start, choose, uploads } = setting(["in/a.txt", "in/b.txt"]);
  await start(["a.txt", "b.txt", "c.txt"]);
  expect(choose).toHaveBeenCalledOnce();
  expect(sent[0]?.path).toContain("on_conflict=skip");
  choose.mockResolvedValue(null);
  await start(["a.txt"]);
  expect(sent.length).toBe(1);
  expect(uploads.store.getState().batches.length).toBe(1);
});

test("names that cannot live everywhere stay out with a reason, the rest goes", async () => {
  const { sent, start, batch } = setting(["in/README.md"]);
  await start(["readme.md", "con.txt", "fine.txt"], [], ["x could not be read."]);
  expect(sent[0]?.body).not.toContain("readme.md");
  expect(sent[0]?.body).toContain("fine.txt");
  const problems = batch()?.problems.join("\n");
  expect(problems).toContain("differs only in letter case");
  expect(problems).toContain("reserved");
  expect(problems).toContain("could not be read");
});

test("what the server refuses is said, file by file", async () => {
  const { start, batch } = setting([], () => ({
    files: [
      { path: "sub/a", result: "rejected", message: "Too large." },
      { path: "b", result: "applied" },
    ],
  }));
  await start(["sub/a", "b"]);
  expect(batch()).toMatchObject({ state: "done", problems: ["a: Too large."] });
});

test("bytes are told while they go, and a cancelled upload stops", async () => {
  const { uploads, start, batch } = setting([], () => {
    expect(batch()).toMatchObject({ sent: 10, total: 20, state: "sending" });
    expect(uploads.facts.getState()).toEqual({
      paths: new Set(["in/a", "in/b"]),
      bytesLeft: 10,
    });
    return { files: [] };
  });
  await start(["a", "b"]);
  expect(uploads.facts.getState()).toEqual({ paths: new Set(), bytesLeft: 0 });
  uploads.dismiss(1);
  const going = start(["c"]);
  uploads.cancel(2);
  await going;
  expect(batch()).toMatchObject({ state: "cancelled" });
});

test("a large upload goes in parts", async () => {
  const { sent, start } = setting([]);
  await start(Array.from({ length: 501 }, (_, index) => `f${index}`));
  expect(sent.length).toBe(2);
});
