/** What the desktop program sends is taken apart as it was put together. */
import { expect, test } from "vitest";
import { bodyOf, framesIn, responseOf } from "./frames";

function led(...parts: Uint8Array[]): ArrayBuffer {
  const bytes = parts.flatMap((part) => {
    const length = new Uint8Array(4);
    new DataView(length.buffer).setUint32(0, part.length, true);
    return [...length, ...part];
  });
  return Uint8Array.from(bytes).buffer;
}

const text = (words: string) => new TextEncoder().encode(words);

test("an answer has its status, its headers and its body", async () => {
  const head = led(text('{"status":201,"headers":{"etag":"\\"abc\\""}}'));
  const message = Uint8Array.from([...new Uint8Array(head), ...text("body")]).buffer;
  const answer = responseOf(message);
  expect(answer.status).toBe(201);
  expect(answer.headers.get("etag")).toBe('"abc"');
  expect(await answer.text()).toBe("body");
});

test("an answer that may have no body has none", () => {
  const answer = responseOf(led(text('{"status":204,"headers":{}}')));
  expect(answer.status).toBe(204);
  expect(answer.body).toBeNull();
});

test("frames that came together are told apart, an empty one as well", () => {
  const frames = framesIn(led(text("one"), text(""), text("three")));
  expect(frames.map((frame) => new TextDecoder().decode(frame))).toEqual(["one", "", "three"]);
  expect(framesIn(new ArrayBuffer(0))).toEqual([]);
});

test("every kind of body becomes bytes", async () => {
  expect(await bodyOf(undefined)).toHaveLength(0);
  expect(await bodyOf("äb")).toHaveLength(3);
  expect(await bodyOf(new Blob(["abc"]))).toHaveLength(3);
  expect(await bodyOf(text("ab"))).toHaveLength(2);
});
