/** A conflict is decided, saved and ended in steps, and what moves under it takes no decision away. */
import { expect, test } from "vitest";
import { fakeHost } from "../../../host/fake";
import { Here } from "../../../host/here";
import { IdeCalls } from "../../../host/ide";
import { LiveWorkspace } from "../../../host/live";
import { lines, type Part } from "../../../host/merge";
import { MergeKeeper } from "./mergeKeeper";
import { conflictsOf, textOf } from "./plan";
import { Resolver } from "./resolver";
import type { ResultText } from "./resultText";

/** A result that draws nothing: one list of lines for each part. */
class PlainResult implements ResultText {
  private told = () => {};
  /** The whole, when more than single parts was written. */
  private whole: string | null = null;
  constructor(private parts: string[]) {}
  text = () => this.whole ?? this.parts.join("");
  fill(parts: readonly Part[]): void {
    this.whole = null;
    this.parts = parts.map((part) => part.result.join(""));
  }
  type(text: string): void {
    this.whole = text;
    this.told();
  }
  put(index: number, parts: readonly Part[]): void {
    this.parts[index] = parts[index]?.result.join("") ?? "";
  }
  linesOf = (index: number) => lines(this.parts[index] ?? "");
  mark(): void {}
  lineOf = () => 1;
  onTyped(listener: () => void): void {
    this.told = listener;
  }
  dispose(): void {}
  /** As a person does it. */
  typeAt(index: number, text: string): void {
    this.parts[index] = text;
    this.told();
  }
}

async function opened(file: string, host = fakeHost("full", true)) {
  const { program, desktop } = host;
  if (!program || !desktop) throw new Error("the fake has no desktop program");
  const id = program.workspaces[0]?.id ?? "";
  const live = new LiveWorkspace(new IdeCalls(host.exchange, id), host);
  const here = new Here(host.exchange, id, desktop);
  await Promise.all([live.pullFiles(), here.pullSync(), here.pullWorkspace()]);
  const conflict = here.state.conflicts.find(({ path }) => path === file);
  if (!conflict) throw new Error(`there is no conflict in ${file}`);
  let result: PlainResult | null = null;
  const makeText = async (parts: readonly Part[]) => {
    result = new PlainResult(parts.map((part) => part.result.join("")));
    return result;
  };
  const keeper = new MergeKeeper(host, id);
  const resolver = new Resolver(conflict, live, here, makeText, keeper);
  await until(resolver, ({ state }) => state !== "loading");
  const typed = (index: number, text: string) => result?.typeAt(index, text);
  const drafts = async () => (await host.merges.all(id)).map(({ path }) => path);
  const files = host.server.files;
  const onDisk = async (path: string) => files.read(path).text();
  return { host, resolver, keeper, live, here, files, onDisk, typed, drafts };
}

/** Waits for a state. */
function until(
  resolver: Resolver,
  wanted: (state: Resolver["state"]) => boolean,
): Promise<unknown> {
  return new Promise((resolve) => {
    const look = () => {
      if (!wanted(resolver.state)) return;
      stop();
      resolve(null);
    };
    const stop = resolver.store.subscribe(look);
    look();
  });
}

test("opening decides nothing, and there is nothing to save", async () => {
  const { resolver } = await opened("stations.py");
  expect(resolver.state.state).toBe("merge");
  expect(resolver.left).toBe(2);
  expect(resolver.state.unsaved).toBe(false);
  // What only they changed is in the result already.
  expect(resolver.result?.text()).toContain("La Rochelle");
});

test("each decision goes on to the next, and Save leaves the conflict standing", async () => {
  const { resolver, here, onDisk } = await opened("stations.py");
  resolver.choose("both");
  expect(resolver.state.current).toBe(1);
  resolver.choose("mine");
  expect(resolver.left).toBe(0);
  expect(await resolver.save()).toBe(true);
  const text = await onDisk("stations.py");
  expect(text).toContain('chart_datum: str = "LAT"\n    timezone: str');
  expect(text).toContain("6.95");
  expect(resolver.state.unsaved).toBe(false);
  expect(here.state.conflicts).toHaveLength(3);
});

test("resolving saves first, ends the conflict and takes the copy away", async () => {
  const { resolver, here, onDisk } = await opened("stations.py");
  resolver.chooseAll("theirs");
  expect(await resolver.resolve()).toBe(true);
  expect(await onDisk("stations.py")).toContain("6.97");
  expect(here.state.conflicts.map(({ path }) => path)).not.toContain("stations.py");
  await expect(onDisk(resolver.conflict.copy)).rejects.toThrow();
});

test("what is written by hand is a decision, and taking it back opens the change again", async () => {
  const { resolver, typed } = await opened("stations.py");
  const index = resolver.state.parts.findIndex(({ kind }) => kind === "conflict");
  typed(index, "    datum = 1\n");
  expect(resolver.state.parts[index]?.choice).toBe("edited");
  expect(resolver.left).toBe(1);
  typed(index, resolver.state.parts[index]?.theirs.join("") ?? "");
  expect(resolver.state.parts[index]?.choice).toBe("theirs");
  typed(index, resolver.state.parts[index]?.base.join("") ?? "");
  expect(resolver.left).toBe(2);
});

test("when theirs moves on, it is merged anew and what was decided stays", async () => {
  const { resolver, live, files, onDisk } = await opened("stations.py");
  resolver.choose(null);
  resolver.lookAt(resolver.state.parts.findLastIndex(({ kind }) => kind === "conflict"));
  resolver.choose("mine");
  const moved = `${await onDisk("stations.py")}\nPORTS = []\n`;
  files.write("stations.py", moved, "*");
  await live.pullFiles();
  await until(resolver, ({ parts }) => textOf(parts).includes("PORTS"));
  expect(resolver.left).toBe(1);
  expect(resolver.result?.text()).toContain("6.95");
});

test("a save over something newer writes nothing and says so", async () => {
  const { resolver, files, onDisk } = await opened("stations.py");
  resolver.chooseAll("mine");
  files.write("stations.py", `${await onDisk("stations.py")}# newer\n`, "*");
  expect(await resolver.save()).toBe(false);
  expect(await onDisk("stations.py")).toContain("# newer");
  expect(resolver.state.problem).toContain("changed meanwhile");
  expect(resolver.result?.text()).toContain("# newer");
});

test("of bytes one is taken, or both stay", async () => {
  const { resolver, here, onDisk } = await opened("figures/range-2026.png");
  expect(resolver.state.state).toBe("choose");
  expect(await resolver.take("mine")).toBe(true);
  expect(await onDisk("figures/range-2026.png")).toBe("PNG\u0000mine");
  expect(here.state.conflicts).toHaveLength(2);

  const other = await opened("figures/range-2026.png");
  expect(await other.resolver.keepBoth()).toBe(true);
  expect(await other.onDisk(other.resolver.conflict.copy)).toBe("PNG\u0000mine");
});

test("what was deleted on the server can come back, or stay deleted", async () => {
  const { resolver, onDisk } = await opened("notes.md");
  expect(resolver.state).toMatchObject({ state: "choose", theirs: null });
  expect(await resolver.take("mine")).toBe(true);
  expect(await onDisk("notes.md")).toContain("Brest");

  const other = await opened("notes.md");
  expect(await other.resolver.take("theirs")).toBe(true);
  await expect(other.onDisk("notes.md")).rejects.toThrow();
});

test("what was decided and not saved is there again after the workspace was closed", async () => {
  const { host, resolver, keeper, typed } = await opened("stations.py");
  const [first = 0] = conflictsOf(resolver.state.parts);
  typed(first, "    datum = 1\n");
  resolver.look(1);
  resolver.choose("mine");
  const text = resolver.result?.text();
  await keeper.flush();

  const again = await opened("stations.py", host);
  expect(again.resolver.left).toBe(0);
  expect(again.resolver.state).toMatchObject({ unsaved: true, brought: true });
  expect(again.resolver.result?.text()).toBe(text);
  expect(await again.resolver.save()).toBe(true);
  expect(again.resolver.state).toMatchObject({ unsaved: false, brought: false });
  expect(await again.drafts()).toEqual([]);
});

test("what was kept is brought into versions that have moved on, typed lines and all", async () => {
  const { host, resolver, keeper, live, files, onDisk } = await opened("stations.py");
  resolver.chooseAll("mine");
  resolver.result?.type(`# seen by Mo\n${resolver.result.text()}`);
  await keeper.flush();
  files.write("stations.py", `${await onDisk("stations.py")}\nPORTS = []\n`, "*");
  await live.pullFiles();

  const again = await opened("stations.py", host);
  const text = again.resolver.result?.text();
  expect(again.resolver.left).toBe(0);
  expect(text).toMatch(/^# seen by Mo\n/);
  expect(text).toContain("6.95");
  expect(text).toContain("PORTS");
});

test("a draft of another conflict with the same name decides nothing", async () => {
  const { host, resolver, keeper, files } = await opened("stations.py");
  resolver.chooseAll("mine");
  await keeper.flush();
  files.write("stations.py", "theirs\n", "*");
  files.write("stations (conflict of quay).py", "mine\n", "*");
  const again = await opened("stations.py", host);
  expect(again.resolver.state).toMatchObject({ unsaved: false, brought: false });
});
