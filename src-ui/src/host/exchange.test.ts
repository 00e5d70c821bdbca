/** Exchanges: what ends them, and what their failures say. */
import { expect, test } from "vitest";
import { type ExchangeWorld, httpExchange, QUIET_MS } from "./exchange";
import { failureOf } from "./ide";

/** A network whose answers the test gives, and a clock that it moves. */
function setUp(over: Partial<ExchangeWorld> = {}) {
  let timers: { at: number; run: () => void }[] = [];
  const clock = { now: 0 };
  const silence = new Set<() => void>();
  const asked: RequestInit[] = [];
  const world: ExchangeWorld = {
    fetch: (_url, request) => {
      asked.push(request);
      return new Promise((_, fail) =>
        request.signal?.addEventListener("abort", () => fail(request.signal?.reason)),
      );
    },
    upload: () => Promise.reject(new Error("not used")),
    after: (ms, run) => {
      const timer = { at: clock.now + ms, run };
      timers.push(timer);
      return () => {
        timers = timers.filter((one) => one !== timer);
      };
    },
    onSilence: (listener) => {
      silence.add(listener);
      return () => silence.delete(listener);
    },
    ...over,
  };
  const advance = (ms: number) => {
    clock.now += ms;
    for (const timer of timers.filter((one) => one.at <= clock.now)) timer.run();
  };
  const tell = () => {
    for (const listener of [...silence]) listener();
  };
  return { exchange: httpExchange(world), advance, tell, asked, silence, timers: () => timers };
}

const failed = (promise: Promise<unknown>) => promise.then(() => null, failureOf);

test("an answer that never comes is given up, and says so", async () => {
  const { exchange, advance, silence, timers } = setUp();
  const asking = failed(exchange("GET", "/workspaces"));
  advance(QUIET_MS);
  const failure = await asking;
  expect(failure).toMatchObject({ code: "network", status: 0 });
  expect(failure?.detail).toContain("silent");
  expect([silence.size, timers().length]).toEqual([0, 0]);
});

test("a large body is waited for longer", async () => {
  const { exchange, advance } = setUp();
  const body = new Uint8Array(32 * 1000);
  let over = false;
  const asking = failed(exchange("PUT", "/workspaces/1/files/a", { body })).then(() => {
    over = true;
  });
  advance(QUIET_MS + 999);
  await Promise.resolve();
  expect(over).toBe(false);
  advance(1);
  await asking;
});

test("a connection found dead ends what waits on it", async () => {
  const { exchange, tell } = setUp();
  const asking = failed(exchange("PUT", "/workspaces/1/files/a", { json: {} }));
  tell();
  expect((await asking)?.code).toBe("network");
});

test("an answer that stops in its middle is a failure, and no half answer", async () => {
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
    start: (out) => out.enqueue(new TextEncoder().encode("[1,")),
  });
  const { exchange, advance } = setUp({
    fetch: async (_url, request) => {
      const cut = new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>();
      void body
        .pipeTo(cut.writable, { ...(request.signal ? { signal: request.signal } : {}) })
        .catch(() => undefined);
      return new Response(cut.readable);
    },
  });
  const asking = failed(exchange("GET", "/workspaces"));
  await new Promise((resolve) => setTimeout(resolve));
  advance(QUIET_MS);
  expect((await asking)?.code).toBe("network");
});

test("an answer without content is an answer", async () => {
  // As Chromium gives it: a stream with nothing in it.
  const answer = { ok: true, status: 204, statusText: "", headers: new Headers() };
  const body = new ReadableStream({ start: (controller) => controller.close() });
  const { exchange } = setUp({
    fetch: () => Promise.resolve({ ...answer, body } as unknown as Response),
  });
  expect((await exchange("DELETE", "/workspaces/1/session")).status).toBe(204);
});

test("what nobody wants any more is cancelled", async () => {
  const { exchange, asked } = setUp();
  const wish = new AbortController();
  const asking = failed(exchange("GET", "/workspaces", { signal: wish.signal }));
  wish.abort();
  expect((await asking)?.code).toBe("cancelled");
  expect(asked[0]?.signal?.aborted).toBe(true);
});

test("an upload is given up only when nothing moves", async () => {
  let move: (sent: number, total: number) => void = () => undefined;
  let answer: (response: Response) => void = () => undefined;
  const { exchange, advance } = setUp({
    upload: (_url, _request, progress) => {
      move = progress;
      return new Promise((resolve) => {
        answer = resolve;
      });
    },
  });
  const seen: number[] = [];
  const body = new Blob(["0123456789"]);
  const asking = exchange("POST", "/import", { body, progress: (sent) => seen.push(sent) });
  for (const sent of [3, 6, 10]) {
    advance(QUIET_MS - 1);
    move(sent, 10);
  }
  answer(new Response("{}"));
  expect((await asking).ok).toBe(true);
  expect(seen).toEqual([3, 6, 10]);
});

test("a refusal carries its code, an unreadable one says that the server does not answer", async () => {
  const problem = Response.json({ code: "stale", detail: "It changed." }, { status: 412 });
  const one = setUp({ fetch: () => Promise.resolve(problem) });
  expect(await failed(one.exchange("GET", "/x"))).toEqual({
    code: "stale",
    detail: "It changed.",
    status: 412,
  });
  const two = setUp({ fetch: () => Promise.resolve(new Response("<html>", { status: 502 })) });
  expect(await failed(two.exchange("GET", "/x"))).toMatchObject({ code: "network", status: 502 });
});

test("without an answer each kind of request says what becomes of it", async () => {
  const { exchange } = setUp({ fetch: () => Promise.reject(new TypeError("offline")) });
  const said = async (...request: Parameters<typeof exchange>) =>
    (await failed(exchange(...request)))?.detail;
  expect(await said("GET", "/workspaces")).toBe("The server does not answer.");
  expect(await said("POST", "/workspaces", { json: {} })).toBe(
    "The server does not answer. Nothing was done.",
  );
  const edit = { body: new Uint8Array(1), kept: true };
  expect(await said("PUT", "/workspaces/1/files/a", edit)).toBe(
    "The server does not answer. Your edits are kept here.",
  );
});

test("nobody knows whether a silent server did what was asked", async () => {
  const { exchange, tell } = setUp();
  const asking = failed(exchange("POST", "/workspaces", { json: {} }));
  tell();
  expect((await asking)?.detail).toContain("nobody knows whether this was done");
});
