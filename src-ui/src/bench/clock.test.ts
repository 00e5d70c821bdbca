/** Seconds that the server counts are shown right on a computer whose clock is wrong. */
import { expect, test } from "vitest";
import { ServerClock } from "./clock";

const NOON = Date.parse("2026-01-01T12:00:00Z");

test("a clock that is an hour ahead is corrected by what the server tells", () => {
  let server = NOON;
  const clock = new ServerClock(() => server + 3_600_000);
  clock.heard(new Date(server).toUTCString());
  server += 5_000;
  expect(clock.now()).toBe(NOON + 5_000);
});

test("the date of an answer has whole seconds; the newest sharper time wins", () => {
  let server = NOON + 900;
  const clock = new ServerClock(() => server - 7_000);
  clock.heard("Thu, 01 Jan 2026 12:00:00 GMT");
  expect(clock.now()).toBe(NOON);
  server += 10;
  clock.past(new Date(NOON + 900).toISOString());
  expect(clock.now()).toBe(NOON + 900);
  // What is long past says nothing new.
  clock.past(new Date(NOON - 3_600_000).toISOString());
  expect(clock.now()).toBe(NOON + 900);
});

test("a clock that was set meanwhile is learnt anew", () => {
  let here = NOON;
  const clock = new ServerClock(() => here);
  clock.heard(new Date(NOON).toUTCString());
  here += 7_200_000;
  clock.heard(new Date(NOON + 1_000).toUTCString());
  expect(clock.now()).toBe(NOON + 1_000);
});

test("nothing heard, nothing corrected", () => {
  const clock = new ServerClock(() => NOON);
  clock.heard(null);
  clock.heard("no time at all");
  expect(clock.now()).toBe(NOON);
});
