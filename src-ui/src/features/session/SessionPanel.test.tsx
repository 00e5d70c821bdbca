/** What stands where terminals would: it says nothing that it cannot know. */
import { expect, test } from "vitest";
import { page } from "vitest/browser";
import { createStore } from "zustand/vanilla";
import { type Bench, BenchContext } from "../../bench/bench";
import { faults, stage } from "../../dev/stage";
import type { ConnectionStatus } from "../../host/connection";
import { SessionPanel } from "./SessionPanel";

const AWAY: ConnectionStatus = { state: "waiting", attempt: 3, nextAt: 0 };

async function shown(sessionTold: boolean, connection: ConnectionStatus) {
  const store = createStore(() => ({ session: null, sessionTold, connection }));
  const bench = { live: { store } } as unknown as Bench;
  await stage(
    <BenchContext value={bench}>
      <main>
        <SessionPanel onOutput={null} />
      </main>
    </BenchContext>,
  );
}

test("after a reload without the server nobody knows whether a session runs", async () => {
  await shown(false, AWAY);
  await expect.element(page.getByRole("heading")).toHaveTextContent("is not known yet");
  await expect.element(page.getByText("The server does not answer.")).toBeVisible();
  await expect.element(page.getByRole("button", { name: "Start session" })).not.toBeInTheDocument();
});

test("a server without its database is not one that is silent", async () => {
  await shown(true, { state: "no-database", nextAt: 0 });
  await expect.element(page.getByText("The server has no database.")).toBeVisible();
  const start = page.getByRole("button", { name: "Start session" });
  await expect.element(start).toBeDisabled();
  await expect.element(start).toHaveAttribute("title", "The server has no database");
  expect(await faults()).toEqual([]);
});

test("without a session one can be started", async () => {
  await shown(true, { state: "online" });
  await expect.element(page.getByRole("heading")).toHaveTextContent("Start a session");
  await expect.element(page.getByRole("button", { name: "Start session" })).toBeEnabled();
});
