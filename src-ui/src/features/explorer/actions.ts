/** What the explorer does to files: each act is one commit, shown at once and taken back when refused. */
import type { Bench } from "../../bench/bench";
import type { Entry } from "../../host/generated/api/Entry";
import type { Operation } from "../../host/generated/api/Operation";
import type { Outcome } from "../../host/generated/api/Outcome";
import { freeName, join, nameOf } from "./names";

/** The server took the request, and did not do this. */
class Refused extends Error {
  readonly code = "refused";
  readonly status = 409;

  constructor({ result, message }: Outcome) {
    super(
      message ?? (result === "stale" ? "Something else stands there now." : "It is not allowed."),
    );
  }
}

/** @throws Why it was not done, as a failure whose words stand by themselves. */
async function commit(bench: Bench, operations: Operation[]): Promise<void> {
  const answer = await bench.live.calls.commit({
    batch: bench.host.newId(),
    operations,
    atomic: true,
  });
  await bench.live.pullFiles();
  const outcome = answer.outcomes.find(({ result }) => result === "stale" || result === "rejected");
  if (outcome) throw new Refused(outcome);
}

/** Says what failed and why, where nothing else does. */
async function guarded(bench: Bench, what: string, act: () => Promise<boolean>): Promise<boolean> {
  try {
    return await act();
  } catch (error) {
    bench.failed(error, what);
    return false;
  }
}

/** @throws Why it was not made; whoever asked for the name says so beside it. */
export async function createEntry(bench: Bench, path: string, folder: boolean): Promise<void> {
  const operation: Operation = {
    path,
    expect: "absent",
    kind: folder ? "folder" : "file",
    executable: false,
    ...(folder ? {} : { text: "" }),
  };
  await commit(bench, [operation]);
  if (!folder) bench.open(path);
}

export function moveInto(bench: Bench, paths: readonly string[], folder: string): Promise<boolean> {
  return guarded(bench, "Nothing was moved.", () => moveEntries(bench, pairsInto(paths, folder)));
}

/** Where each of them goes in a folder. */
export function pairsInto(
  paths: readonly string[],
  folder: string,
): { from: string; to: string }[] {
  return paths.map((from) => ({ from, to: join(folder, nameOf(from)) }));
}

/**
 * Moves files and folders, each to its new path; false when nothing was to be done.
 * @throws Why nothing was moved.
 */
export async function moveEntries(
  bench: Bench,
  pairs: readonly { from: string; to: string }[],
): Promise<boolean> {
  const outer = new Set(tops(pairs.map((pair) => pair.from)));
  const real = pairs.filter(
    ({ from, to }) => from !== to && !to.startsWith(`${from}/`) && outer.has(from),
  );
  if (real.length === 0) return false;
  await bench.saveAll();
  const operations = real.map(({ from, to }): Operation => {
    const entry = bench.live.entries.get(from);
    return { path: to, from, executable: false, ...expectOf(entry) };
  });
  await commit(bench, operations);
  for (const { from, to } of real) bench.moved(from, to);
  return true;
}

/** Copies files and folders into a folder, by the contents that the workspace holds already. */
export function copyEntries(
  bench: Bench,
  paths: readonly string[],
  folder: string,
): Promise<boolean> {
  return guarded(bench, "Nothing was copied.", async () => {
    await bench.saveAll();
    const { entries } = bench.live;
    const made = new Set<string>();
    const taken = (path: string) => entries.has(path) || made.has(path);
    const operations: Operation[] = [];
    for (const from of tops(paths)) {
      const wanted = join(folder, nameOf(from));
      const to = taken(wanted) ? freeName(wanted, taken) : wanted;
      made.add(to);
      for (const entry of entries.values())
        if (
          (entry.path === from || entry.path.startsWith(`${from}/`)) &&
          !to.startsWith(`${from}/`)
        )
          operations.push(copyOf(entry, to + entry.path.slice(from.length)));
    }
    if (operations.length === 0) return false;
    await commit(bench, operations);
    return true;
  });
}

function copyOf(entry: Entry, path: string): Operation {
  const { kind, hash, target, executable } = entry;
  return {
    path,
    expect: "absent",
    kind,
    executable,
    ...(kind === "file" && hash ? { hash } : {}),
    ...(target ? { target } : {}),
  };
}

/** Without what lies inside another of them. */
function tops(paths: readonly string[]): string[] {
  return paths.filter((path) => !paths.some((other) => path.startsWith(`${other}/`)));
}

/** Deletes, and offers to take it back for as long as the toast stays. */
export function deleteEntries(bench: Bench, paths: readonly string[]): Promise<boolean> {
  const list = tops(paths);
  return guarded(bench, "Nothing was deleted.", async () => {
    await bench.saveAll();
    await bench.live.pullFiles();
    const before = bench.live.state.head;
    const operations = list.map((path): Operation => ({ path, executable: false }));
    await commit(bench, operations);
    const gone = list[0] ?? "";
    for (const path of list) bench.removed(path);
    bench.toast({
      text: list.length === 1 ? `${nameOf(gone)} was deleted` : `${list.length} items were deleted`,
      action: {
        label: "Undo",
        run: () =>
          void guarded(bench, "It could not be brought back.", async () => {
            for (const path of list) await bench.live.calls.takeBack(before, path);
            await bench.live.pullFiles();
            return true;
          }),
      },
    });
    return true;
  });
}

function expectOf(entry: Entry | undefined): Pick<Operation, "expect"> {
  if (!entry) return {};
  if (entry.kind === "folder") return { expect: "folder" };
  return entry.hash ? { expect: { content: entry.hash } } : {};
}

export async function downloadFile(bench: Bench, path: string): Promise<void> {
  await guarded(bench, `${nameOf(path)} was not downloaded.`, async () => {
    const { bytes } = await bench.live.calls.read(path);
    bench.host.saveFile(nameOf(path), new Blob([bytes]));
    return true;
  });
}
