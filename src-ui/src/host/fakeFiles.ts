/** The files of the fake server's workspaces: one tree for all, that saves, moves, deletions and restores change. */
import { ExchangeError } from "./exchange";
import { hashOf } from "./fakeData";
import type { Change } from "./generated/api/Change";
import type { Committed } from "./generated/api/Committed";
import type { Entry } from "./generated/api/Entry";
import type { Operation } from "./generated/api/Operation";
import type { Outcome } from "./generated/api/Outcome";
import type { Version } from "./generated/api/Version";
import type { Written } from "./generated/api/Written";

const HOUR_MS = 3_600_000;

/** What stands at a path, or stood there. */
interface Kept {
  entry: Entry;
  text: string;
}

export class FakeFiles {
  head: number;
  private readonly first: number;
  private readonly kept = new Map<string, Kept>();
  private readonly changes: Change[] = [];
  /** Every tree that ever was, to be restored from. */
  private readonly before = new Map<number, ReadonlyMap<string, Kept>>();
  private readonly listeners = new Set<(head: number) => void>();

  constructor(
    head: number,
    entries: readonly Entry[],
    texts: Readonly<Record<string, string>>,
    private readonly now: () => number,
  ) {
    this.head = head;
    this.first = head;
    for (const entry of entries)
      this.kept.set(entry.path, { entry, text: texts[entry.path] ?? "" });
    this.before.set(head, new Map(this.kept));
  }

  /** Tells of every new revision. */
  watch(listener: (head: number) => void): void {
    this.listeners.add(listener);
  }

  tree() {
    return { revision: this.head, entries: [...this.kept.values()].map(({ entry }) => entry) };
  }

  since(revision: number) {
    const changes = this.changes.filter((change) => change.revision > revision);
    return { head: this.head, changes, more: false };
  }

  /** Now, or at a revision. */
  read(path: string, revision?: number): Response {
    const found = (revision === undefined ? this.kept : this.at(revision)).get(path);
    if (!found || found.entry.kind === "folder")
      throw new ExchangeError("not_found", "There is no such file.", 404);
    return new Response(found.text, { headers: { etag: `"${found.entry.hash}"` } });
  }

  /** What happened to a file here, under the names that it had, newest first. */
  saves(path: string, until = Number.POSITIVE_INFINITY): Version[] {
    const own = this.changes
      .filter((change) => change.path === path && change.revision < until)
      .map((change): Version => ({ ...change, kept: true, previous: "0".repeat(64) }))
      .reverse();
    const moved = own.find(({ from }) => from);
    return [...own, ...(moved?.from ? this.saves(moved.from, moved.revision) : [])];
  }

  /** The same, and a past that it could have. */
  history(name: string): Version[] {
    const saves = this.saves(name);
    const path = saves.findLast(({ from }) => from)?.from ?? name;
    if (!this.at(this.first).has(path)) return saves;
    const version = (
      age: number,
      kind: Version["origin"]["kind"],
      more: Partial<Version> = {},
    ): Version => {
      const revision = this.first - age;
      const entry = this.at(revision).get(path)?.entry;
      return {
        path,
        revision,
        at: new Date(this.now() - (age * 3 + 1) * HOUR_MS).toISOString(),
        origin: { kind },
        kept: true,
        previous: "0".repeat(64),
        ...(entry && { entry }),
        ...more,
      };
    };
    const { previous: _first, ...template } = version(20, "template", { kept: false });
    const past = [version(0, "editor"), version(3, "session"), version(9, "desktop")];
    return [...saves, ...past, template];
  }

  /** The tree at a revision. Before the first one is made up: the older, the fewer lines each file has. */
  private at(revision: number): ReadonlyMap<string, Kept> {
    const first = this.before.get(Math.max(revision, this.first)) ?? new Map<string, Kept>();
    if (revision >= this.first) return first;
    const lost = Math.floor((this.first - revision) / 3);
    return new Map([...first].map(([path, kept]) => [path, shortened(kept, lost)]));
  }

  /** Only over the content that `match` names; `*` is any, null is none. */
  write(path: string, text: string, match: string | null): Written {
    const there = this.kept.get(path)?.entry.hash ?? null;
    if (match !== "*" && there !== match)
      throw new ExchangeError("stale", "Something else stands there now.", 412);
    this.turn([() => this.put(path, "file", text)]);
    return { revision: this.head, entry: this.kept.get(path)?.entry as Entry };
  }

  commit(operations: readonly Operation[]): Committed {
    const refused = operations.map((operation) => this.refusal(operation));
    if (refused.some((one) => one !== null)) {
      const outcomes = refused.map((one) => one ?? { result: "stale" as const });
      return { revision: this.head, outcomes };
    }
    this.turn(operations.map((operation) => () => this.apply(operation)));
    return { revision: this.head, outcomes: operations.map(() => ({ result: "applied" })) };
  }

  /** Brings back what stood at a path, and below it; `was` is what it was called then. */
  restore(revision: number, path: string, was = path): Committed {
    const old = [...this.at(revision)].filter(([one]) => isIn(one, was));
    this.turn(
      old.map(
        ([one, { entry, text }]) =>
          () =>
            this.put(path + one.slice(was.length), entry.kind, text),
      ),
    );
    return { revision: this.head, outcomes: [{ result: "applied" }] };
  }

  private refusal({ path, expect, from }: Operation): Outcome | null {
    const stands = this.kept.get(from ?? path)?.entry;
    const fits =
      expect === undefined ||
      (expect === "absent" && !stands) ||
      (expect === "folder" && stands?.kind === "folder") ||
      (typeof expect === "object" && stands?.hash === expect.content);
    if (fits && !(from && this.kept.has(path))) return null;
    return { result: "stale", message: `Something stands at ${path} already.` };
  }

  private apply({ path, from, kind, text = "", hash, executable }: Operation): void {
    if (from) {
      for (const [old, { entry, text: content }] of this.below(from)) {
        this.take(old);
        this.put(path + old.slice(from.length), entry.kind, content, entry.executable, old);
      }
    } else if (!kind) for (const [old] of this.below(path)) this.take(old);
    else this.put(path, kind, hash ? this.textOf(hash) : text, executable);
  }

  /** One revision, told to everybody. */
  private turn(steps: readonly (() => void)[]): void {
    this.head += 1;
    for (const step of steps) step();
    this.before.set(this.head, new Map(this.kept));
    for (const listener of this.listeners) listener(this.head);
  }

  private put(
    path: string,
    kind: Entry["kind"],
    text: string,
    executable = false,
    from?: string,
  ): void {
    const folder = path.slice(0, Math.max(0, path.lastIndexOf("/")));
    if (folder && !this.kept.has(folder)) this.put(folder, "folder", "");
    const content = kind === "folder" ? {} : { hash: hashOf(text) };
    const size = kind === "folder" ? 0 : new TextEncoder().encode(text).length;
    const entry: Entry = { path, kind, size, ...content, executable, revision: this.head };
    this.kept.set(path, { entry, text });
    this.note(path, entry, from);
  }

  private take(path: string): void {
    this.kept.delete(path);
    this.note(path);
  }

  private note(path: string, entry?: Entry, from?: string): void {
    const at = new Date(this.now()).toISOString();
    const what = { path, ...(entry && { entry }), ...(from && { from }) };
    this.changes.push({ revision: this.head, ...what, origin: { kind: "editor" }, at });
  }

  private below(path: string): [string, Kept][] {
    return [...this.kept].filter(([one]) => isIn(one, path));
  }

  private textOf(hash: string): string {
    for (const { entry, text } of this.kept.values()) if (entry.hash === hash) return text;
    return "";
  }
}

function shortened({ entry, text }: Kept, by: number): Kept {
  if (entry.kind === "folder") return { entry, text };
  const lines = text.trimEnd().split("\n");
  const left = `${lines.slice(0, Math.max(1, lines.length - by)).join("\n")}\n`;
  return { entry: { ...entry, size: left.length, hash: hashOf(left) }, text: left };
}

function isIn(path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder}/`);
}
