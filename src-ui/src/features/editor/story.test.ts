/** Random stories of tabs, networks and other writers: no typed line is lost, nothing comes back, all comes to rest. */
import { expect, test } from "vitest";
import { MemoryDrafts } from "../../host/drafts";
import { lines } from "../../host/merge";
import { BrowserTab, calm, Hub, quiet } from "./simulation";

function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** One story: two tabs type, the network fails, others write, pages are reloaded; then everything comes to rest. */
async function story(seed: number): Promise<void> {
  const next = random(seed);
  const chance = (part: number) => next() < part;
  const pick = <T>(list: readonly T[]): T => list[Math.floor(next() * list.length)] as T;
  const hub = new Hub();
  for (const path of ["a", "b"]) hub.put(path, "l1\nl2\nl3\nl4\nl5\nl6\n");
  const drafts = new MemoryDrafts();
  const typed = new Set<string>();
  /** Lines that a person took away, so that nobody need keep them. */
  const given = new Set<string>();
  const reviving = new Set<string>();
  let names = 0;
  let count = 0;
  let tabs: BrowserTab[] = [];
  const living = () => new Set(tabs.map((tab) => tab.name));
  const begin = async (name: string) => {
    const tab = new BrowserTab(name, hub, drafts, living);
    tabs.push(tab);
    for (const path of ["a", "b"]) void tab.buffers.read(path);
    await calm();
    for (const path of await tab.buffers.draftPaths()) void tab.buffers.read(path);
    return tab;
  };
  const give = (text: string | null, kept = "") => {
    const rest = new Set(lines(kept));
    for (const line of lines(text ?? "")) if (!rest.has(line)) given.add(line);
  };
  hub.guard = (path, before, after) => {
    if (before === null) expect(reviving, `seed ${seed}: ${path} came back`).toContain(path);
    const rest = new Set(lines(after));
    for (const line of lines(before ?? ""))
      if (typed.has(line) && !given.has(line))
        expect(rest, `seed ${seed}: overwritten in ${path}`).toContain(line);
  };
  const insert = (text: string, line: string) => {
    const rows = lines(text);
    return rows.toSpliced(Math.floor(next() * (rows.length + 1)), 0, line).join("");
  };
  const steps: Record<string, (tab: BrowserTab, path: string) => void | Promise<void>> = {
    type: (tab, path) => {
      count += 1;
      const line = `typed ${count}\n`;
      if (tab.type(path, (text) => insert(text, line))) typed.add(line);
    },
    erase: (tab, path) => {
      tab.type(path, (text) => {
        const rows = lines(text);
        const at = Math.floor(next() * rows.length);
        give(rows[at] ?? "");
        return rows.toSpliced(at, 1).join("");
      });
    },
    undo: (tab, path) => {
      const model = tab.buffers.model(path);
      const before = model?.text() ?? "";
      model?.undo();
      give(before, model?.text());
    },
    serve: (tab) => pick(tab.requests)?.serve(),
    deliver: (tab) => {
      const request = pick(tab.requests);
      tab.requests = tab.requests.filter((one) => one !== request);
      request?.deliver();
    },
    lose: (tab) => {
      const request = pick(tab.requests);
      tab.requests = tab.requests.filter((one) => one !== request);
      request?.lose();
    },
    pass: (tab) => tab.pass(pick([100, 350, 900, 4_100])),
    hear: (tab) => void tab.live.pullFiles(),
    network: (tab) => {
      if (tab.online) for (const request of tab.requests.splice(0)) request.lose();
      tab.connect(!tab.online);
    },
    others: (_tab, path) => {
      const text = hub.text(path);
      if (text === null) hub.put(path, pick([...hub.history]));
      else if (chance(0.25)) hub.delete(path);
      else {
        count += 1;
        typed.add(`other ${count}\n`);
        hub.put(path, insert(text, `other ${count}\n`));
      }
    },
    close: (tab, path) => {
      const info = tab.buffers.info(path);
      // As the tabs do: what needs the person stays open.
      if (info && !info.gone && info.save !== "conflict") tab.buffers.close(path);
    },
    read: (tab, path) => void tab.buffers.read(path),
    reload: async (tab) => {
      if (chance(0.7)) tab.buffers.flush();
      else for (const path of ["a", "b"]) unkept(tab, path, await drafts.all("w"));
      await calm();
      tab.end(() => chance(0.5));
      tabs = tabs.filter((one) => one !== tab);
      names += 1;
      await begin(chance(0.6) ? tab.name : `later ${names}`);
    },
    decide,
  };
  function unkept(tab: BrowserTab, path: string, kept: readonly { text: string }[]): void {
    const safe = kept.map((one) => one.text).join("");
    give(tab.buffers.model(path)?.text() ?? "", safe);
  }
  function decide(tab: BrowserTab, path: string): void {
    const info = tab.buffers.info(path);
    const mine = tab.buffers.model(path)?.text() ?? "";
    if (info?.save === "conflict") {
      const theirs = tab.buffers.theirs(path) ?? "";
      if (chance(0.5)) {
        give(theirs, mine);
        void tab.buffers.keepMine(path, info.theirsHash);
      } else {
        give(mine, theirs);
        void tab.buffers.takeTheirs(path, info.theirsHash);
      }
    } else if (info?.gone) {
      if (chance(0.5)) {
        reviving.add(path);
        void tab.buffers.revive(path);
      } else {
        give(mine);
        void tab.buffers.discard(path);
      }
    }
  }
  const everywhere = async () => {
    const open = tabs.flatMap((tab) => ["a", "b"].map((path) => tab.buffers.model(path)?.text()));
    const kept = (await drafts.all("w")).map((draft) => draft.text);
    return new Set([...hub.history, ...open, ...kept].flatMap((text) => lines(text ?? "")));
  };
  const nothingLost = async () => {
    const there = await everywhere();
    for (const line of typed) if (!given.has(line)) expect(there, `seed ${seed}`).toContain(line);
  };

  /** What is shown as clean is what the server has; at the very end everything is clean. */
  const atRest = (answered: boolean) => {
    for (const tab of tabs)
      for (const [path, info] of tab.buffers.store.getState().byPath) {
        if (info.shape === "away" || info.shape === "error") continue;
        if (answered) expect(info.save, `seed ${seed}: ${path}`).toBe("clean");
        if (info.save !== "clean" || info.gone) continue;
        expect(tab.buffers.model(path)?.text(), `seed ${seed}: ${path}`).toBe(hub.text(path));
      }
  };

  await begin("one");
  await begin("two");
  const often = ["type", "type", "deliver", "deliver", "deliver", "pass", "pass", "hear"];
  for (let more = 0; more < 6; more += 1) often.push(pick(Object.keys(steps)));
  for (let step = 0; step < 80; step += 1) {
    const name = pick([...often, ...Object.keys(steps)]);
    await steps[name]?.(pick(tabs), pick(["a", "b"]));
    await calm();
    await nothingLost();
  }
  await quiet(tabs);
  await nothingLost();
  atRest(false);
  // Every tab is loaded once more, so that what others left behind is brought in; then each question is answered.
  for (const tab of [...tabs]) {
    tab.buffers.flush();
    await calm();
    tab.end(() => true);
    tabs = tabs.filter((one) => one !== tab);
    await begin(tab.name);
  }
  for (let round = 0; round < 20; round += 1) {
    await quiet(tabs);
    await nothingLost();
    for (const path of ["a", "b"]) for (const tab of tabs) decide(tab, path);
  }
  await quiet(tabs);
  atRest(true);
}

test("no typed line is lost, nothing comes back by itself, and everything comes to rest", async () => {
  for (let seed = 1; seed <= 250; seed += 1) await story(seed);
}, 120_000);
