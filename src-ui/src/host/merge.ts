/**
 * Line differences and three-way merge of texts. A merge is clean only when the two sides' changes do not touch. Sessions
 * merge by the same rules; the cases that both make are `crates/sync/cases/merge.json`.
 */
import { MERGED_BYTES_MAX } from "./generated/limits";

/** Lines `[start, end)` of the first text become the lines `[from, to)` of the second. */
export interface Hunk {
  start: number;
  end: number;
  from: number;
  to: number;
}

export type Merge = { clean: true; text: string } | { clean: false; reason: string };

/** Above this many differing lines the middle becomes one hunk: exact diffs of strangers help nobody. */
const DISTANCE_MAX = 2_000;

/** Lines with their ends, so that joining them gives the text back. */
export function lines(text: string): string[] {
  return text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
}

/** The changed places between two lists, in order, never touching each other. */
export function diff(a: readonly string[], b: readonly string[]): Hunk[] {
  let head = 0;
  while (head < a.length && head < b.length && a[head] === b[head]) head += 1;
  let tail = 0;
  while (
    tail < a.length - head &&
    tail < b.length - head &&
    a[a.length - 1 - tail] === b[b.length - 1 - tail]
  )
    tail += 1;
  const left = a.slice(head, a.length - tail);
  const right = b.slice(head, b.length - tail);
  if (left.length === 0 && right.length === 0) return [];
  const whole: Hunk = {
    start: head,
    end: head + left.length,
    from: head,
    to: head + right.length,
  };
  if (left.length === 0 || right.length === 0) return [whole];
  const pairs = common(left, right);
  return pairs === null ? [whole] : between(pairs, left.length, right.length, head);
}

/** Hunks between pairs of equal lines. */
function between(
  pairs: readonly (readonly [number, number])[],
  lengthA: number,
  lengthB: number,
  shift: number,
): Hunk[] {
  const hunks: Hunk[] = [];
  let x = 0;
  let y = 0;
  for (const [i, j] of [...pairs, [lengthA, lengthB] as const]) {
    if (i > x || j > y)
      hunks.push({ start: x + shift, end: i + shift, from: y + shift, to: j + shift });
    x = i + 1;
    y = j + 1;
  }
  return hunks;
}

/** Myers: pairs of equal lines of a shortest edit script; null when the texts are too different. */
function common(a: readonly string[], b: readonly string[]): [number, number][] | null {
  const limit = Math.min(a.length + b.length, DISTANCE_MAX);
  const offset = limit + 1;
  const reach = new Int32Array(2 * limit + 3);
  const trace: Int32Array[] = [];
  for (let d = 0; d <= limit; d += 1) {
    trace.push(reach.slice(offset - d - 1, offset + d + 2));
    for (let k = -d; k <= d; k += 2) {
      const down = k === -d || (k !== d && at(reach, offset + k - 1) < at(reach, offset + k + 1));
      let x = down ? at(reach, offset + k + 1) : at(reach, offset + k - 1) + 1;
      while (x < a.length && x - k < b.length && a[x] === b[x - k]) x += 1;
      reach[offset + k] = x;
      if (x >= a.length && x - k >= b.length) return walkBack(trace, a.length, b.length);
    }
  }
  return null;
}

function at(array: Int32Array, index: number): number {
  return array[index] ?? 0;
}

function walkBack(trace: readonly Int32Array[], endA: number, endB: number): [number, number][] {
  const pairs: [number, number][] = [];
  let x = endA;
  let y = endB;
  for (let d = trace.length - 1; d >= 0; d -= 1) {
    const reach = trace[d] as Int32Array;
    const k = x - y;
    const see = (diagonal: number) => at(reach, diagonal + d + 1);
    const down = k === -d || (k !== d && see(k - 1) < see(k + 1));
    const before = down ? k + 1 : k - 1;
    const beforeX = d === 0 ? 0 : see(before);
    const beforeY = d === 0 ? 0 : beforeX - before;
    while (x > beforeX && y > beforeY) {
      x -= 1;
      y -= 1;
      pairs.push([x, y]);
    }
    x = beforeX;
    y = beforeY;
  }
  return pairs.reverse();
}

/** Joins two changed versions of `base`. Never guesses: touching changes, unless equal, are a conflict. */
export function merge(base: string, mine: string, theirs: string, path = ""): Merge {
  if (mine === theirs || base === theirs) return { clean: true, text: mine };
  if (base === mine) return { clean: true, text: theirs };
  const all = [base, mine, theirs];
  if (all.some(isTooLarge)) return no("The file is too large to merge by itself.");
  if (all.some((text) => text.includes("\0"))) return no("The file is not plain text.");
  if (!keepOneLineEnd(all)) return no("The line endings differ.");
  const text = join(lines(base), lines(mine), lines(theirs));
  if (text === null) return no("Both versions changed the same lines.");
  if (/\.(json|ipynb)$/i.test(path) && parses(mine) && parses(theirs) && !parses(text))
    return no("The merged text would no longer be valid JSON.");
  return { clean: true, text };
}

function no(reason: string): Merge {
  return { clean: false, reason };
}

/** Both sides' hunks in the base's place, as long as none of one side touches one of the other. */
function join(
  base: readonly string[],
  mine: readonly string[],
  theirs: readonly string[],
): string | null {
  const all = stretches(base, mine, theirs);
  if (all.some(({ kind }) => kind === "conflict")) return null;
  return all.flatMap((one) => (one.kind === "theirs" ? one.theirs : one.mine)).join("");
}

/** Lines of the base and what both sides have in their place, by who changed them; `both` changed them alike. */
export interface Stretch {
  kind: "same" | "mine" | "theirs" | "both" | "conflict";
  base: readonly string[];
  mine: readonly string[];
  theirs: readonly string[];
}

/** Which version of a stretch is taken; `edited`: what somebody wrote instead. */
export type Choice = "mine" | "theirs" | "both" | "base" | "edited";

/** A stretch of which something becomes. */
export interface Part extends Stretch {
  /** Null while it is open; what only one side changed is decided from the start. */
  choice: Choice | null;
  /** The lines that stand in the result. */
  result: readonly string[];
}

/** Three versions side by side, from the first line to the last. */
export function stretches(
  base: readonly string[],
  mine: readonly string[],
  theirs: readonly string[],
): Stretch[] {
  const sides = [new Side(mine, diff(base, mine)), new Side(theirs, diff(base, theirs))] as const;
  const out: Stretch[] = [];
  const same = (from: number, to: number) => {
    const all = base.slice(from, to);
    if (all.length > 0) out.push({ kind: "same", base: all, mine: all, theirs: all });
  };
  let position = 0;
  for (;;) {
    const start = Math.min(...sides.map((side) => side.next()?.start ?? Number.POSITIVE_INFINITY));
    if (start === Number.POSITIVE_INFINITY) {
      same(position, base.length);
      return out;
    }
    const region = { start, end: start };
    let grows = true;
    while (grows) grows = sides.some((side) => side.reaches(region));
    same(position, start);
    const [one, other] = [sides[0].take(region), sides[1].take(region)];
    const own = base.slice(start, region.end);
    const kind = kindOf(one, other);
    out.push({ kind, base: own, mine: one ?? own, theirs: other ?? own });
    position = region.end;
  }
}

function kindOf(mine: readonly string[] | null, theirs: readonly string[] | null): Stretch["kind"] {
  if (mine === null) return "theirs";
  if (theirs === null) return "mine";
  return mine.join("") === theirs.join("") ? "both" : "conflict";
}

/** Lines `[start, end)` of the base. */
interface Region {
  start: number;
  end: number;
}

/** One version's hunks, taken from the first to the last. */
class Side {
  /** Hunks before this one are done, those up to `reached` lie in the region. */
  private at = 0;
  private reached = 0;

  constructor(
    private readonly lines: readonly string[],
    private readonly hunks: readonly Hunk[],
  ) {}

  next(): Hunk | undefined {
    return this.hunks[this.reached];
  }

  /** Takes the next hunk into a region that it touches, which grows by it. */
  reaches(region: Region): boolean {
    const hunk = this.next();
    if (!hunk || hunk.start > region.end) return false;
    region.end = Math.max(region.end, hunk.end);
    this.reached += 1;
    return true;
  }

  /** What this version has in place of the region; null: what the base has. */
  take(region: Region): readonly string[] | null {
    const [first, last] = [this.hunks[this.at], this.hunks[this.reached - 1]];
    const changed = this.reached > this.at;
    this.at = this.reached;
    if (!changed || !first || !last) return null;
    // Outside of hunks both run in step, so the borders are as far from the hunks on either side.
    const from = first.from - (first.start - region.start);
    return this.lines.slice(from, last.to + (region.end - last.end));
  }
}

function isTooLarge(text: string): boolean {
  // A letter takes at most three bytes of its own.
  if (text.length * 3 <= MERGED_BYTES_MAX) return false;
  return new TextEncoder().encode(text).length > MERGED_BYTES_MAX;
}

/** Whether all lines end alike; an editor that holds one kind of end would change the others without a word. */
function keepOneLineEnd(texts: readonly string[]): boolean {
  const count = (end: string) => texts.reduce((sum, text) => sum + text.split(end).length - 1, 0);
  const withReturn = count("\r\n");
  return withReturn === 0 || withReturn === count("\n");
}

function parses(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** One replacement by 1-based line and column, as an editor takes it. */
export interface LineEdit {
  startLine: number;
  startColumn: number;
  endLine: number;
  endColumn: number;
  text: string;
}

/** The fewest whole-line replacements that make `to` of `from`; cursors outside of them stay. */
export function edits(from: string, to: string): LineEdit[] {
  const a = lines(from);
  const b = lines(to);
  const last = a.length === 0 ? 0 : a.length - 1;
  const open = a.length > 0 && !(a[last] as string).endsWith("\n");
  return diff(a, b).map((hunk) => {
    const text = b.slice(hunk.from, hunk.to).join("");
    // After a last line without an end there is no next line to stand on.
    const stop = (line: number): [number, number] =>
      line >= a.length && open ? [a.length, (a[last] as string).length + 1] : [line + 1, 1];
    const [startLine, startColumn] = stop(hunk.start);
    const [endLine, endColumn] = stop(hunk.end);
    return { startLine, startColumn, endLine, endColumn, text };
  });
}
