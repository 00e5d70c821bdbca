/** Tabs say what has become of their files. */
import { expect, test } from "vitest";
import { page } from "vitest/browser";
import { createStore } from "zustand/vanilla";
import { type Bench, BenchContext } from "../../bench/bench";
import { stage } from "../../dev/stage";
import type { Editor } from "./editor";
import { Tabs } from "./Tabs";

test("a tab whose file was deleted says so before it is opened", async () => {
  const store = createStore(() => ({ loaded: "loading" }));
  const live = { store, entries: new Map([["here.py", {}]]) };
  const tabs = ["here.py", "gone.py"].map((path) => ({ path, preview: false }));
  const editor = {
    tabs: { store: createStore(() => ({ tabs, active: "here.py" })) },
  } as unknown as Editor;
  const badges = createStore(() => ({ byPath: new Map() }));
  await stage(
    <BenchContext value={{ live, badges } as unknown as Bench}>
      <Tabs editor={editor} />
    </BenchContext>,
  );
  // Nobody knows yet.
  await expect.element(page.getByRole("tab", { name: "gone.py", exact: true })).toBeVisible();
  store.setState({ loaded: "ready" });
  await expect.element(page.getByRole("tab", { name: "gone.py, Deleted" })).toBeVisible();
  await expect.element(page.getByRole("tab", { name: "here.py", exact: true })).toBeVisible();
});
