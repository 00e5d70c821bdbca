/** What can be done about a file in trouble is in the registry for as long as it is shown in it, and no longer. */
import { expect, test } from "vitest";
import type { Action } from "../../bench/actions";
import { MemoryDrafts } from "../../host/drafts";
import type { Host } from "../../host/host";
import type { Editor } from "./editor";
import { BrowserTab, Hub, quiet } from "./simulation";
import { troubleActions } from "./trouble";

async function setting() {
  const hub = new Hub();
  hub.put("a", "one\n");
  const tab = new BrowserTab("t", hub, new MemoryDrafts(), () => new Set(["t"]));
  await quiet([tab]);
  void tab.buffers.read("a");
  await quiet([tab]);
  const given: string[] = [];
  const host = { saveFile: (name: string) => void given.push(name) } as unknown as Host;
  const editor = {
    texts: tab.buffers,
    compared: null as string | null,
    compare: (path: string | null) => {
      editor.compared = path;
    },
    get shown() {
      return tab.buffers.info("a");
    },
  };
  const actions = () => troubleActions(host, editor as unknown as Editor);
  const titles = () => actions().map((one) => one.title);
  const run = (title: string, from: readonly Action[] = actions()) =>
    from.find((one) => one.title === title)?.run();
  /** Both change the same line, unseen by each other. */
  const clash = async () => {
    tab.connect(false);
    tab.type("a", () => "mine\n");
    hub.put("a", "theirs\n");
    await quiet([tab]);
  };
  return { hub, tab, given, actions, titles, run, clash };
}

test("a conflict offers its choices while it is shown", async () => {
  const { hub, tab, given, titles, run, clash } = await setting();
  expect(titles()).toEqual([]);
  await clash();
  expect(titles()).toEqual(["Compare versions", "Download mine", "Keep mine", "Take theirs"]);
  run("Compare versions");
  expect(titles()[0]).toBe("Hide difference");
  run("Hide difference");
  expect(titles()[0]).toBe("Compare versions");
  run("Download mine");
  expect(given).toEqual(["mine-a"]);
  run("Keep mine");
  await quiet([tab]);
  expect(titles()).toEqual([]);
  expect(hub.text("a")).toBe("mine\n");
});

test("a choice is for the versions that it was offered for", async () => {
  const { hub, tab, actions, run, clash } = await setting();
  await clash();
  const before = actions();
  hub.put("a", "theirs again\n");
  await quiet([tab]);
  run("Keep mine", before);
  await quiet([tab]);
  expect(hub.text("a")).toBe("theirs again\n");
  run("Take theirs");
  await quiet([tab]);
  expect(tab.buffers.model("a")?.text()).toBe("theirs again\n");
});

test("a deleted file can be brought back as long as its text is open", async () => {
  const { hub, tab, titles, run } = await setting();
  hub.delete("a");
  await quiet([tab]);
  expect(titles()).toEqual(["Bring the file back", "Close and forget the text"]);
  run("Bring the file back");
  await quiet([tab]);
  expect(titles()).toEqual([]);
  expect(hub.text("a")).toBe("one\n");
});
