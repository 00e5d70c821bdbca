/** The fake server's files behave as the real ones do, as far as the screens can tell. */
import { expect, test } from "vitest";
import { hashOf } from "./fakeData";
import { FakeFiles } from "./fakeFiles";
import type { Entry } from "./generated/api/Entry";

const file = (path: string, text: string): Entry => ({
  path,
  kind: "file",
  size: text.length,
  hash: hashOf(text),
  executable: false,
  revision: 1,
});
const some = () => new FakeFiles(1, [file("a", "one")], { a: "one" }, () => 0);
const paths = (files: FakeFiles) => files.tree().entries.map((entry) => entry.path);

test("a save is read again, and one over something else is refused", async () => {
  const files = some();
  const heads: number[] = [];
  files.watch((head) => heads.push(head));
  const { revision, entry } = files.write("a", "two", hashOf("one"));
  expect([revision, entry?.hash]).toEqual([2, hashOf("two")]);
  expect(await files.read("a").text()).toBe("two");
  expect(() => files.write("a", "three", hashOf("one"))).toThrow("Something else");
  expect(files.since(1).changes.map((change) => change.path)).toEqual(["a"]);
  expect(heads).toEqual([2]);
});

test("folders move with what is in them, and what is deleted comes back", async () => {
  const files = some();
  files.write("dir/b", "deep", null);
  files.commit([{ path: "other", from: "dir", executable: false }]);
  expect(paths(files).sort()).toEqual(["a", "other", "other/b"]);
  const { head } = files;
  files.commit([{ path: "other", executable: false }]);
  expect(paths(files)).toEqual(["a"]);
  files.restore(head, "other");
  expect(await files.read("other/b").text()).toBe("deep");
  const taken = { path: "a", expect: "absent" as const, kind: "file" as const, executable: false };
  expect(files.commit([taken]).outcomes[0]?.result).toBe("stale");
});
