/** The server's versions and this computer's as one list. */
import { expect, test } from "vitest";
import type { Version } from "../../host/generated/api/Version";
import { joined } from "./versions";

let count = 0;

/** Made at a time of one day; `content` is null where it was deleted. */
function version(time: string, content: string | null, more: Partial<Version> = {}): Version {
  count += 1;
  const file = { path: "a", kind: "file" as const, size: 1, executable: false, revision: count };
  return {
    kept: true,
    revision: count,
    path: "a",
    origin: { kind: "editor" },
    at: `2026-03-12T${time}Z`,
    ...(content === null ? {} : { entry: { ...file, hash: content } }),
    ...more,
  };
}

function list(server: readonly Version[], here: readonly Version[], more = false): string {
  return joined(server, here, more)
    .map((one) => `${one.at.slice(11, 16)} ${one.entry?.hash ?? "-"}${one.here ? " here" : ""}`)
    .join(", ");
}

test("versions of both are listed by time, each side's in its own order", () => {
  const server = [version("12:00:00", "d"), version("10:00:00", "b")];
  const here = [version("11:00:00", "c"), version("09:00:00", "a")];
  expect(list(server, here)).toBe("12:00 d, 11:00 c here, 10:00 b, 09:00 a here");
  expect(list([], here)).toBe("11:00 c here, 09:00 a here");
  expect(list(server, [])).toBe("12:00 d, 10:00 b");
  // A clock that was put back does not turn a server's revisions around.
  const turned = [version("10:00:00", "z"), version("11:30:00", "y")];
  expect(list(turned, here)).toBe("11:00 c here, 10:00 z, 11:30 y, 09:00 a here");
});

test("what the server got is the server's, and nothing else is", () => {
  const save = version("10:00:00", "a");
  expect(list([version("14:00:00", "a")], [save])).toBe("14:00 a");
  expect(list([version("09:59:01", "a")], [save])).toBe("09:59 a");
  const between = version("09:58:00", "b");
  expect(list([version("09:57:00", "a")], [save, between])).toBe(
    "10:00 a here, 09:58 b here, 09:57 a",
  );
  expect(list([version("14:00:00", null)], [save])).toBe("14:00 -, 10:00 a here");
  expect(list([version("14:00:00", null)], [version("13:00:00", null)])).toBe("14:00 -");
  // A content that the server had to let go is still here.
  expect(list([version("14:00:00", "a", { kept: false })], [save])).toBe("14:00 a, 10:00 a here");
});

test("while older ones are to come, what is older than those that are there waits", () => {
  const server = [version("12:00:00", "d"), version("10:00:00", "b")];
  const here = [version("11:00:00", "c"), version("09:00:00", "a")];
  expect(list(server, here, true)).toBe("12:00 d, 11:00 c here, 10:00 b");
  const older = [...server, version("09:00:30", "a")];
  expect(list(older, here)).toBe("12:00 d, 11:00 c here, 10:00 b, 09:00 a");
});

test("what stood there already is no version, but a new name is one", () => {
  const server = [version("08:00:00", "a")];
  const noted = version("11:59:59", "a");
  expect(list(server, [version("12:00:00", "b"), noted])).toBe("12:00 b here, 08:00 a");
  const moved = version("12:00:00", "a", { from: "old" });
  expect(list(server, [moved])).toBe("12:00 a here, 08:00 a");
});
