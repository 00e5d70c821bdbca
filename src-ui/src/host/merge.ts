/** Line differences and three-way merge of texts. A merge is clean only when the two sides' changes do not touch. */

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
/** Larger texts are shown as a difference instead of merged. */
const MERGE_CHARS_MAX = 2 * 1024 * 1024;

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
  if (Math.max(base.length, mine.length, theirs.length) > MERGE_CHARS_MAX)
    return { clean: false, reason: "The file is too large to merge by itself." };
  if (ending(mine) !== ending(theirs)) return { clean: false, reason: "The line endings differ." };
  const ours = lines(mine);
  const others = lines(theirs);
  const old = lines(base);
  const text = join(old, ours, others, diff(old, ours), diff(old, others));
  if (text === null) return { clean: false, reason: "Both versions changed the same lines." };
  if (/\.(json|ipynb)$/i.test(path) && parses(mine) && parses(theirs) && !parses(text))
    return { clean: false, reason: "The merged text would no longer be valid JSON." };
  return { clean: true, text };
}

function join(
  old: readonly string[],
  ours: readonly string[],
  others: readonly string[],
  mine: readonly Hunk[],
  theirs: readonly Hunk[],
): string | null {
  const out: string[] = [];
  let position = 0;
  let i = 0;
  let j = 0;
  while (i < mine.length || j < theirs.length) {
    const m = mine[i];
    const t = theirs[j];
    if (m && t && m.start <= t.end && t.start <= m.end) {
      const same =
        m.start === t.start &&
        m.end === t.end &&
        ours.slice(m.from, m.to).join("") === others.slice(t.from, t.to).join("");
      if (!same) return null;
      j += 1;
    }
    const first = m && (!t || m.start <= t.start) ? m : (t as Hunk);
    const source = first === m ? ours : others;
    out.push(...old.slice(position, first.start), ...source.slice(first.from, first.to));
    position = first.end;
    if (first === m) i += 1;
    else j += 1;
  }
  out.push(...old.slice(position));
  return out.join("");
}

function ending(text: string): "\r\n" | "\n" | null {
  const first = text.indexOf("\n");
  return first < 0 ? null : text[first - 1] === "\r" ? "\r\n" : "\n";
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
