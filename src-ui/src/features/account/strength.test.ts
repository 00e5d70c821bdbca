// Sentences about the strength of passwords.
import { expect, test } from "vitest";
import { strengthOf } from "./strength";

const bars = (password: string) => strengthOf(password).bars;

test("nothing typed is no verdict, and too few letters say how many are missing", () => {
  expect(strengthOf("")).toEqual({ bars: 0, word: "", why: "" });
  expect(strengthOf("tide").why).toBe("4 more needed");
});

test("repeats and rows of the keyboard are weak at any length that people type", () => {
  for (const one of ["aaaaaaaaaaaa", "12345678", "qwertyuiop", "abcdefghij"])
    expect(bars(one)).toBe(1);
});

test("a few words beat a short jumble", () => {
  expect(bars("quiet tide at seven bells")).toBe(4);
  expect(bars("Tr4b?x1q")).toBeLessThan(bars("quiet tide at seven bells"));
  expect(bars("harbor12")).toBeLessThanOrEqual(2);
});

test("the own name is no secret", () => {
  expect(strengthOf("kersaint1", ["Mo Kersaint", "mo@example.org"]).why).toContain("your name");
});
