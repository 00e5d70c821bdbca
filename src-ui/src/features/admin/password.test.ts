/** One-time passwords: their form, and that no two are alike. */
import { expect, test } from "vitest";
import { oneTimePassword } from "./password";

const random = (count: number) => crypto.getRandomValues(new Uint8Array(count));

test("four groups of letters that cannot be mistaken", () => {
  const made = new Set(Array.from({ length: 100 }, () => oneTimePassword(random)));
  expect(made.size).toBe(100);
  for (const one of made) expect(one).toMatch(/^([a-km-np-z2-9]{5}-){3}[a-km-np-z2-9]{5}$/);
});
