/** A conflict as a list of stretches, what was decided about each, and the text that comes of it. */
import {
  type Choice,
  diff,
  lines,
  merge,
  type Part,
  type Stretch,
  stretches,
} from "../../../host/merge";

/** `base` is null when nobody has it any more: then every difference is the person's to decide. */
export interface Versions {
  base: string | null;
  mine: string;
  theirs: string;
}

export function planOf({ base, mine, theirs }: Versions): Part[] {
  const all =
    base === null
      ? sideBySide(lines(mine), lines(theirs))
      : stretches(lines(base), lines(mine), lines(theirs));
  return all.map((one) => decided({ ...one, choice: null, result: [] }, firstChoice(one)));
}

function firstChoice({ kind }: Stretch): Choice | null {
  if (kind === "conflict") return null;
  return kind === "theirs" ? "theirs" : "mine";
}

/** Two versions without what they began with. */
function sideBySide(mine: readonly string[], theirs: readonly string[]): Stretch[] {
  const out: Stretch[] = [];
  const same = (from: number, to: number) => {
    const all = mine.slice(from, to);
    if (all.length > 0) out.push({ kind: "same", base: all, mine: all, theirs: all });
  };
  let position = 0;
  for (const { start, end, from, to } of diff(mine, theirs)) {
    same(position, start);
    const sides = { mine: mine.slice(start, end), theirs: theirs.slice(from, to) };
    out.push({ kind: "conflict", base: [], ...sides });
    position = end;
  }
  same(position, mine.length);
  return out;
}

/** The same part with a choice. An open one shows what both sides began with. */
export function decided(part: Part, choice: Choice | null, written?: readonly string[]): Part {
  const result = () => {
    switch (choice) {
      case "mine":
        return part.mine;
      case "theirs":
        return part.theirs;
      case "both":
        return [...part.mine.map(ended), ...part.theirs];
      case "edited":
        return written ?? part.result;
      case "base":
      case null:
        return part.base;
    }
  };
  return { ...part, choice, result: result() };
}

/** A last line without an end must have one when something follows. */
function ended(line: string): string {
  return line.endsWith("\n") ? line : `${line}\n`;
}

export function textOf(parts: readonly Part[]): string {
  return parts.flatMap((part) => part.result).join("");
}

/** Where the person decides, as indexes of parts. */
export function conflictsOf(parts: readonly Part[]): number[] {
  return parts.flatMap((part, index) => (part.kind === "conflict" ? [index] : []));
}

export function isOpen(part: Part): boolean {
  return part.kind === "conflict" && part.choice === null;
}

/** What was decided about parts that are still the same is decided about the fresh ones; the others are open. */
export function carried(before: readonly Part[], fresh: readonly Part[]): Part[] {
  const known = new Map<string, Part[]>();
  for (const part of before)
    if (part.kind === "conflict" && part.choice) {
      const key = keyOf(part);
      known.set(key, [...(known.get(key) ?? []), part]);
    }
  return fresh.map((part) => {
    const same = part.kind === "conflict" ? known.get(keyOf(part))?.shift() : undefined;
    // What was to be taken of theirs is not what was seen any more.
    const unseen = same && same.theirs.join("") !== part.theirs.join("");
    const takesTheirs = same?.choice === "theirs" || same?.choice === "both";
    if (!same || (unseen && takesTheirs)) return part;
    return decided(part, same.choice, same.result);
  });
}

/**
 * A text that was written over `before`, what decisions alone make, written over `after`. Null when there is nothing
 * of it that `after` has not, or when both say something about the same lines.
 */
export function rewritten(
  before: string,
  text: string,
  after: string,
  path: string,
): string | null {
  const merged = merge(before, text, after, path);
  return merged.clean && merged.text !== after ? merged.text : null;
}

function keyOf({ base, mine }: Part): string {
  return `${base.join("")}\u0000${mine.join("")}`;
}

/** The words of a line that differ among versions of it: [from, to) of each; null when there is no more to say. */
export function differing(versions: readonly string[]): readonly [number, number][] | null {
  const [first = ""] = versions;
  const shortest = Math.min(...versions.map((one) => one.length));
  let head = 0;
  while (head < shortest && versions.every((one) => one[head] === first[head])) head += 1;
  let tail = 0;
  const last = (one: string) => one[one.length - 1 - tail];
  while (tail < shortest - head && versions.every((one) => last(one) === last(first))) tail += 1;
  // Without anything in common a mark would be the whole line.
  if (head + tail === 0) return null;
  // Whole words and numbers: one letter of one says nothing.
  const inWord = (letter: string | undefined) => /[\w.]/.test(letter ?? "");
  while (head > 0 && inWord(first[head - 1])) head -= 1;
  while (tail > 0 && inWord(first[first.length - tail])) tail -= 1;
  return versions.map((one) => [head, one.length - tail]);
}
