/** What does not touch is merged, what does is the person's, and what was decided stays decided. */
import { expect, test } from "vitest";
import { carried, conflictsOf, decided, differing, isOpen, planOf, textOf } from "./plan";

const BASE = "one\ntwo\nthree\nfour\nfive\n";
const MINE = "one\nTWO mine\nthree\nfour\nfive\nsix\n";
const THEIRS = "zero\none\nTWO theirs\nthree\nfour\nfive\n";

test("only what both sides changed is open, and it shows what both began with", () => {
  const parts = planOf({ base: BASE, mine: MINE, theirs: THEIRS });
  expect(parts.map(({ kind }) => kind)).toEqual(["theirs", "same", "conflict", "same", "mine"]);
  expect(textOf(parts)).toBe("zero\none\ntwo\nthree\nfour\nfive\nsix\n");
  expect(conflictsOf(parts)).toEqual([2]);
});

test("each choice stands in the result", () => {
  const parts = planOf({ base: BASE, mine: MINE, theirs: THEIRS });
  const part = parts[2];
  if (!part) throw new Error("there is no conflict");
  expect(decided(part, "mine").result).toEqual(["TWO mine\n"]);
  expect(decided(part, "theirs").result).toEqual(["TWO theirs\n"]);
  expect(decided(part, "both").result).toEqual(["TWO mine\n", "TWO theirs\n"]);
  expect(decided(part, "base").result).toEqual(["two\n"]);
  expect(decided(part, "edited", ["2\n"]).result).toEqual(["2\n"]);
});

test("both of two last lines without an end are two lines", () => {
  const [part] = planOf({ base: "a", mine: "b", theirs: "c" });
  if (!part) throw new Error("there is no conflict");
  expect(decided(part, "both").result.join("")).toBe("b\nc");
});

test("without a base every difference is open", () => {
  const parts = planOf({ base: null, mine: "a\nmine\nz\n", theirs: "a\ntheirs\nz\nmore\n" });
  expect(parts.filter(isOpen)).toHaveLength(2);
  expect(parts.filter(isOpen).map(({ theirs }) => theirs)).toEqual([["theirs\n"], ["more\n"]]);
});

test("when the other side moves on, choices stay, but for what takes what nobody has seen", () => {
  const base = "a\nb\nc\nd\ne\n";
  const mine = "a\nB mine\nc\nD mine\ne\n";
  const before = planOf({ base, mine, theirs: "a\nB theirs\nc\nD theirs\ne\n" });
  const [first = 0, second = 0] = conflictsOf(before);
  const chosen = before.map((part, index) =>
    index === first ? decided(part, "theirs") : index === second ? decided(part, "mine") : part,
  );
  const after = carried(chosen, planOf({ base, mine, theirs: "a\nB new\nc\nD new\ne\nf\n" }));
  const open = conflictsOf(after).map((index) => after[index]?.choice);
  expect(open).toEqual([null, "mine"]);
  expect(textOf(after)).toBe("a\nb\nc\nD mine\ne\nf\n");
});

test("what was written by hand is carried as it was written", () => {
  const versions = { base: "a\nb\n", mine: "a\nB\n", theirs: "a\nbb\n" };
  const before = planOf(versions).map((part) =>
    part.kind === "conflict" ? decided(part, "edited", ["by hand\n"]) : part,
  );
  const after = carried(before, planOf({ ...versions, theirs: "a\nbbb\n" }));
  expect(textOf(after)).toBe("a\nby hand\n");
});

test("the words that differ are told", () => {
  expect(differing(["x = 6.95,", "x = 6.90,", "x = 6.97,"])).toEqual([
    [4, 8],
    [4, 8],
    [4, 8],
  ]);
  expect(differing(["abc", "xyz"])).toBeNull();
});
