/** The gate: what fails for a sign-in that has ended waits, is asked again, and everything else passes through. */
import { expect, test } from "vitest";
import { ExchangeError } from "./exchange";
import { SignInGate } from "./gate";
import type { Exchange } from "./ide";

function scene() {
  const asked: string[] = [];
  const state = { signedIn: true };
  const server: Exchange = async (method, path) => {
    asked.push(`${method} ${path}`);
    if (!state.signedIn) throw new ExchangeError("sign_in_expired", "Sign in again.", 401);
    if (path === "/broken") throw new ExchangeError("not_found", "There is no such thing.", 404);
    return new Response("ok");
  };
  return { asked, state, gate: new SignInGate(server) };
}

test("saves wait for the next sign-in and go out then, each once", async () => {
  const { asked, state, gate } = scene();
  state.signedIn = false;
  const told: boolean[] = [];
  gate.watch(() => told.push(gate.closed));
  const saves = [gate.exchange("PUT", "/a"), gate.exchange("PUT", "/b")];
  await expect.poll(() => gate.closed).toBe(true);
  state.signedIn = true;
  gate.open();
  for (const answer of await Promise.all(saves)) expect(await answer.text()).toBe("ok");
  expect(asked).toEqual(["PUT /a", "PUT /b", "PUT /a", "PUT /b"]);
  expect(told).toEqual([true, false]);
});

test("other failures are told as they are", async () => {
  const { gate } = scene();
  await expect(gate.exchange("GET", "/broken")).rejects.toMatchObject({ code: "not_found" });
  expect(gate.closed).toBe(false);
});

test("a sign-in that ends again closes the gate again", async () => {
  const { state, gate } = scene();
  state.signedIn = false;
  const save = gate.exchange("PUT", "/a");
  await expect.poll(() => gate.closed).toBe(true);
  gate.open();
  await expect.poll(() => gate.closed).toBe(true);
  state.signedIn = true;
  gate.open();
  expect(await (await save).text()).toBe("ok");
});

test("who no longer wants an answer does not wait for the sign-in", async () => {
  const { state, gate } = scene();
  state.signedIn = false;
  const leave = new AbortController();
  const asked = gate.exchange("GET", "/a", { signal: leave.signal });
  await expect.poll(() => gate.closed).toBe(true);
  leave.abort(new Error("left"));
  await expect(asked).rejects.toThrow("left");
});
