/** Open texts against a hub that others write, over a network that fails: nothing typed is lost, nothing comes back. */
import { expect, test } from "vitest";
import { MemoryDrafts } from "../../host/drafts";
import { BrowserTab, calm, Hub, quiet } from "./simulation";

async function setting(text = "one\ntwo\nthree\nfour\n") {
  const hub = new Hub();
  hub.put("a", text);
  const drafts = new MemoryDrafts();
  const living = new Set(["t"]);
  const tab = new BrowserTab("t", hub, drafts, () => living);
  await quiet([tab]);
  void tab.buffers.read("a");
  await quiet([tab]);
  const again = async (name = "t") => {
    tab.end(() => false);
    living.clear();
    living.add(name);
    const next = new BrowserTab(name, hub, drafts, () => living);
    await quiet([next]);
    for (const path of await next.buffers.draftPaths()) void next.buffers.read(path);
    return next;
  };
  return { hub, drafts, tab, again, living };
}

const append = (line: string) => (text: string) => `${text}${line}\n`;

test("a deleted file is not made again by saving, only by asking for it", async () => {
  const { hub, tab } = await setting();
  hub.delete("a");
  await quiet([tab]);
  expect(tab.buffers.info("a")).toMatchObject({ gone: true, save: "clean" });
  expect(await tab.buffers.saveAll()).toBe(true);
  expect(hub.text("a")).toBeNull();
  tab.type("a", append("mine"));
  await quiet([tab]);
  const saved = tab.buffers.saveAll();
  await quiet([tab]);
  expect(await saved).toBe(false);
  expect(hub.text("a")).toBeNull();
  void tab.buffers.revive("a");
  await quiet([tab]);
  expect(hub.text("a")).toContain("mine");
  expect(tab.buffers.info("a")).toMatchObject({ gone: false, save: "clean" });
});

test("a file that comes back with the same content is saved again", async () => {
  const { hub, tab } = await setting();
  const before = hub.text("a") ?? "";
  hub.delete("a");
  await quiet([tab]);
  tab.type("a", append("typed while it was gone"));
  hub.put("a", before);
  await quiet([tab]);
  expect(tab.buffers.info("a")).toMatchObject({ gone: false, save: "clean" });
  expect(hub.text("a")).toContain("typed while it was gone");
});

test("bringing back what somebody else made again merges with it", async () => {
  const { hub, tab } = await setting();
  const before = hub.text("a") ?? "";
  hub.delete("a");
  await quiet([tab]);
  tab.type("a", append("mine"));
  hub.put("a", `theirs\n${before}`);
  void tab.buffers.revive("a");
  await quiet([tab]);
  expect(hub.text("a")).toBe(`theirs\n${before}mine\n`);
  expect(tab.buffers.info("a")).toMatchObject({ gone: false, save: "clean" });
});

test("a tab closed while offline keeps its edit until the server has it", async () => {
  const { hub, tab } = await setting();
  tab.connect(false);
  tab.type("a", append("mine"));
  tab.buffers.close("a");
  await calm();
  expect(tab.buffers.info("a")?.save).toBe("unsaved");
  await quiet([tab]);
  expect(hub.text("a")).toContain("mine");
  expect(tab.buffers.info("a")).toBeNull();
});

test("a kept edit is there before the server has answered", async () => {
  const { hub, tab, again } = await setting();
  tab.connect(false);
  tab.type("a", append("kept"));
  tab.buffers.flush();
  await calm();
  const next = await again();
  await calm();
  expect(next.requests).not.toEqual([]);
  expect(next.buffers.model("a")?.text()).toContain("kept");
  await quiet([next]);
  expect(hub.text("a")).toContain("kept");
});

test("the edits of a renamed file go along", async () => {
  const { hub, tab, drafts } = await setting();
  tab.connect(false);
  tab.type("a", append("mine"));
  tab.pass(400);
  await calm();
  hub.put("b", hub.text("a") ?? "");
  hub.delete("a");
  void tab.buffers.moved("a", "b");
  await quiet([tab]);
  expect(hub.text("b")).toContain("mine");
  expect(hub.text("a")).toBeNull();
  expect(await drafts.all("w")).toEqual([]);
});

test("each draft of a tab that is gone is brought in, one after the other", async () => {
  const { hub, tab, drafts, again } = await setting();
  const text = hub.text("a") ?? "";
  const known = { workspace: "w", path: "a", base: "h1", baseText: text, doubts: [] };
  await drafts.put({ ...known, tab: "x", at: 1, text: `first\n${text}` });
  await drafts.put({ ...known, tab: "y", at: 2, text: `${text}second\n` });
  tab.end(() => false);
  const next = await again("z");
  await quiet([next]);
  expect(hub.text("a")).toBe(`first\n${text}second\n`);
  expect(await drafts.all("w")).toEqual([]);
});

test("a choice is only valid for the version that was shown", async () => {
  const { hub, tab } = await setting("one\n");
  tab.connect(false);
  tab.type("a", () => "mine\n");
  hub.put("a", "theirs\n");
  await quiet([tab]);
  const shown = tab.buffers.info("a")?.theirsHash ?? "";
  expect(tab.buffers.info("a")?.save).toBe("conflict");
  hub.put("a", "theirs again\n");
  await quiet([tab]);
  void tab.buffers.keepMine("a", shown);
  await quiet([tab]);
  expect(hub.text("a")).toBe("theirs again\n");
  void tab.buffers.keepMine("a", tab.buffers.info("a")?.theirsHash ?? "");
  await quiet([tab]);
  expect(hub.text("a")).toBe("mine\n");
  expect(tab.buffers.info("a")?.save).toBe("clean");
});

test("keeping mine works after the own edit was undone", async () => {
  const { hub, tab } = await setting("one\n");
  tab.connect(false);
  tab.type("a", () => "mine\n");
  hub.put("a", "theirs\n");
  await quiet([tab]);
  tab.buffers.model("a")?.undo();
  void tab.buffers.keepMine("a", tab.buffers.info("a")?.theirsHash ?? "");
  await quiet([tab]);
  expect(hub.text("a")).toBe("one\n");
  expect(tab.buffers.info("a")?.save).toBe("clean");
});

test("a change from elsewhere during a save is seen when the save ends", async () => {
  const { hub, tab } = await setting();
  tab.type("a", append("mine"));
  tab.pass(900);
  await calm();
  const [save] = tab.requests.splice(0);
  save?.serve();
  hub.put("a", `theirs\n${hub.text("a")}`);
  void tab.live.pullFiles();
  await calm();
  for (const request of tab.requests.splice(0)) request.deliver();
  await calm();
  save?.deliver();
  await quiet([tab]);
  expect(tab.buffers.model("a")?.text()).toBe(hub.text("a"));
  expect(hub.text("a")).toMatch(/^theirs\n.*mine\n$/s);
});

test("of two answers that overtake each other the newer one stays", async () => {
  const { hub, tab } = await setting("one\n");
  const read = async (text: string) => {
    hub.put("a", text);
    void tab.live.pullFiles();
    await calm();
    for (const request of tab.requests.splice(0)) request.deliver();
    await calm();
    const [answer] = tab.requests.splice(0);
    answer?.serve();
    return answer;
  };
  const first = await read("two\n");
  const second = await read("three\n");
  second?.deliver();
  await calm();
  first?.deliver();
  await quiet([tab]);
  expect(tab.buffers.model("a")?.text()).toBe("three\n");
});

test("a draft that waits for its turn survives a crash before it", async () => {
  const { hub, tab, drafts, again } = await setting();
  const text = hub.text("a") ?? "";
  const known = { workspace: "w", path: "a", base: "h1", baseText: text, doubts: [] };
  await drafts.put({ ...known, tab: "x", at: 1, text: `first\n${text}` });
  await drafts.put({ ...known, tab: "y", at: 2, text: `${text}second\n` });
  tab.end(() => false);
  const next = await again("z");
  await calm();
  for (const request of next.requests.splice(0)) request.deliver();
  await calm();
  expect(next.buffers.model("a")?.text()).toBe(`${text}second\n`);
  next.end(() => false);
  const last = await again("q");
  await quiet([last]);
  expect(hub.text("a")).toBe(`first\n${text}second\n`);
});

test("a save whose answer was lost is no conflict with oneself", async () => {
  const { hub, tab, again } = await setting("one\n");
  tab.type("a", () => "one two\n");
  tab.pass(900);
  await calm();
  const [save] = tab.requests.splice(0);
  save?.serve();
  save?.lose();
  tab.connect(false);
  await calm();
  tab.type("a", () => "one two three\n");
  tab.pass(400);
  await calm();
  const next = await again();
  await quiet([next]);
  expect(next.buffers.info("a")?.save).toBe("clean");
  expect(hub.text("a")).toBe("one two three\n");
});

test("leaving is only unsafe when the browser refuses to keep the text", async () => {
  const { tab, drafts } = await setting();
  Object.assign(drafts, { lasting: true });
  tab.connect(false);
  tab.type("a", append("mine"));
  tab.buffers.flush();
  await calm();
  expect(tab.buffers.unsafe).toBe(false);
  drafts.put = () => Promise.reject(new Error("no room"));
  tab.type("a", append("more"));
  tab.buffers.flush();
  await calm();
  expect(tab.buffers.unsafe).toBe(true);
});

test("a browser without a store of its own makes leaving unsafe", async () => {
  const { tab } = await setting();
  tab.connect(false);
  tab.type("a", append("mine"));
  tab.buffers.flush();
  await calm();
  expect(tab.buffers.unsafe).toBe(true);
});

test("a file that is not here says so while the server is away, and opens when it is back", async () => {
  const { hub, tab } = await setting();
  hub.put("b", "other\n");
  await quiet([tab]);
  tab.connect(false);
  await tab.buffers.read("b");
  expect(tab.buffers.info("b")).toMatchObject({ shape: "away", save: "clean", gone: false });
  await quiet([tab]);
  expect(tab.buffers.model("b")?.text()).toBe("other\n");
});
