// Sentences about the lists: whole, searched, in order.
import { expect, test } from "vitest";
import { fakeHost } from "../../host/fake";
import type { Workspace } from "../../host/generated/api/Workspace";
import { allPages, arranged, hasSession } from "./list";

const never = new AbortController().signal;

test("all pages of a list are read", async () => {
  const host = fakeHost();
  let asked = 0;
  const rows = await allPages(
    (...call) => {
      asked += 1;
      return host.exchange(...call);
    },
    "active",
    never,
  );
  expect(rows).toHaveLength(7);
  expect(asked).toBe(2);
});

test("search looks into names, and the order is the one wished for", async () => {
  const rows = await allPages(fakeHost().exchange, "active", never);
  const names = (list: Workspace[]) => list.map((row) => row.name);
  expect(names(arranged(rows, " TIDE", "changed"))).toEqual(["harbor-tides"]);
  expect(names(arranged(rows, "", "name"))[0]).toBe("berth-planner");
  expect(names(arranged(rows, "", "changed"))[0]).toBe("harbor-tides");
});

test("an ended session is none", async () => {
  const rows = await allPages(fakeHost().exchange, "active", never);
  expect(rows.filter(hasSession).map((row) => row.session?.state)).toEqual([
    "ready",
    "idle",
    "provisioning",
  ]);
});
