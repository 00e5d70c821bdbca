/** Letters that are marked keep the colours of their language. */
import { expect, test } from "vitest";
import { parted } from "./colours";

const pieces = [
  { text: "x = ", colour: "" },
  { text: "6.95", colour: "number" },
  { text: ",", colour: "" },
];

test("a line is parted around some letters, inside of a piece as well", () => {
  expect(parted(pieces, [4, 8])).toEqual([[pieces[0]], [pieces[1]], [pieces[2]]]);
  expect(parted(pieces, [2, 6])).toEqual([
    [{ text: "x ", colour: "" }],
    [
      { text: "= ", colour: "" },
      { text: "6.", colour: "number" },
    ],
    [{ text: "95", colour: "number" }, pieces[2]],
  ]);
});

test("without letters everything stands before them", () => {
  expect(parted(pieces, [9, 9])).toEqual([pieces, [], []]);
  expect(parted([], [0, 3])).toEqual([[], [], []]);
});
