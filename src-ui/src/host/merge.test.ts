/** Merging: every edit script is right, and a merge never loses a line of either side. */
import { describe, expect, test } from "vitest";
import shared from "../../../crates/sync/cases/merge.json";
import { diff, edits, type LineEdit, lines, merge } from "./merge";

type Piece = string | { of: string; times: number };

/** A text of the shared cases: whole, or in pieces of which some are repeated. */
function textOf(text: string | Piece[]): string {
  if (typeof text === "string") return text;
  return text
    .map((piece) => (typeof piece === "string" ? piece : piece.of.repeat(piece.times)))
    .join("");
}

function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

function mutate(text: string[], next: () => number): string[] {
  const out = [...text];
  for (let count = Math.floor(next() * 4); count >= 0; count -= 1) {
    const at = Math.floor(next() * (out.length + 1));
    const kind = next();
    if (kind < 0.4) out.splice(at, 0, `new ${Math.floor(next() * 5)}\n`);
    else if (kind < 0.7) out.splice(at, 1);
    else out.splice(at, 1, `changed ${Math.floor(next() * 5)}\n`);
  }
  return out;
}

function applyEdits(text: string, list: readonly LineEdit[]): string {
  const rows = text.split("\n");
  const offset = (line: number, column: number) =>
    rows.slice(0, line - 1).reduce((sum, row) => sum + row.length + 1, 0) + column - 1;
  let out = text;
  for (const edit of [...list].reverse())
    out =
      out.slice(0, offset(edit.startLine, edit.startColumn)) +
      edit.text +
      out.slice(offset(edit.endLine, edit.endColumn));
  return out;
}

describe("diff", () => {
  test("hunks turn the first text into the second", () => {
    const next = random(7);
    for (let round = 0; round < 400; round += 1) {
      const a = Array.from(
        { length: Math.floor(next() * 12) },
        () => `l${Math.floor(next() * 4)}\n`,
      );
      const b = mutate(a, next);
      if (next() < 0.3 && b.length > 0) b[b.length - 1] = (b.at(-1) as string).trimEnd();
      const from = a.join("");
      const to = b.join("");
      expect(applyEdits(from, edits(from, to))).toBe(to);
      let end = -1;
      for (const hunk of diff(a, b)) {
        expect(hunk.start).toBeGreaterThan(end);
        end = hunk.end;
      }
    }
  });

  test("very different texts are one hunk", () => {
    const a = Array.from({ length: 3000 }, (_, index) => `a${index}\n`);
    const b = Array.from({ length: 3000 }, (_, index) => `b${index}\n`);
    expect(diff(a, b)).toEqual([{ start: 0, end: 3000, from: 0, to: 3000 }]);
  });

  test("a last line without an end can grow and shrink", () => {
    for (const [from, to] of [
      ["a", "a\nb"],
      ["a\nb", "a"],
      ["", "x"],
      ["x", ""],
      ["a\n", "a"],
      ["a", "a\n"],
    ] as const)
      expect(applyEdits(from, edits(from, to))).toBe(to);
  });
});

describe("merge", () => {
  test.each(shared.cases.filter((one) => !("parser" in one)))("$name", ({ path, ...texts }) => {
    const [base, one, other] = [textOf(texts.base), textOf(texts.one), textOf(texts.other)];
    const wanted = texts.merged === null ? null : textOf(texts.merged);
    for (const [mine, theirs] of [
      [one, other],
      [other, one],
    ] as const) {
      const merged = merge(base, mine, theirs, path);
      // Not compared by `expect`, which would show a difference of megabytes.
      expect((merged.clean ? merged.text : null) === wanted).toBe(true);
    }
  });

  test("a clean merge is the same from both sides and keeps every added line", () => {
    const next = random(11);
    let clean = 0;
    for (let round = 0; round < 600; round += 1) {
      const base = Array.from({ length: 14 }, (_, index) => `line ${index}\n`);
      const mine = mutate(base, next).map((line) => line.replace("new", "mine"));
      const theirs = mutate(base, next).map((line) => line.replace("new", "theirs"));
      const one = merge(base.join(""), mine.join(""), theirs.join(""));
      const other = merge(base.join(""), theirs.join(""), mine.join(""));
      expect(one.clean).toBe(other.clean);
      if (!one.clean || !other.clean) continue;
      clean += 1;
      expect(one.text).toBe(other.text);
      const kept = new Set(lines(one.text));
      for (const line of [...mine, ...theirs])
        if (!base.includes(line)) expect(kept).toContain(line);
    }
    expect(clean).toBeGreaterThan(50);
  });
});
