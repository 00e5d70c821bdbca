/** Messages by keys: there is time to come to them, and the way back leads to where one was. */
import { afterEach, expect, test, vi } from "vitest";
import { page, userEvent } from "vitest/browser";
import { stage } from "../dev/stage";

const button = (name: string) => page.getByRole("button", { name, exact: true });

afterEach(() => {
  vi.restoreAllMocks();
});

test("what was passed through on the way is not where one goes back to", async () => {
  const { popups } = await stage(
    <main>
      <button type="button" onClick={() => popups.toast({ text: "It is gone", action: undo })}>
        Delete
      </button>
      <button type="button">On the way</button>
    </main>,
  );
  const run = vi.fn();
  const undo = { label: "Undo", run };
  (button("Delete").element() as HTMLElement).focus();
  await userEvent.keyboard("{Enter}");
  await expect.element(button("Undo")).toBeVisible();
  await userEvent.keyboard("{Tab}");
  await expect.element(button("On the way")).toHaveFocus();
  await userEvent.keyboard("{Tab}");
  await expect.element(button("Undo")).toHaveFocus();
  await userEvent.keyboard("{Enter}");
  expect(run).toHaveBeenCalledOnce();
  await expect.element(button("Delete")).toHaveFocus();
});

test("what can be acted on stays longer, and only the new message is read", async () => {
  const { popups } = await stage(<main />);
  const timer = vi.spyOn(globalThis, "setTimeout");
  const stays = (ms: number) => timer.mock.calls.some(([, after]) => after === ms);
  popups.toast({ text: "It was copied" });
  await expect.element(page.getByText("It was copied")).toBeVisible();
  await expect.element(page.getByRole("status")).toHaveAttribute("aria-atomic", "false");
  expect([stays(8_000), stays(20_000)]).toEqual([true, false]);
  popups.toast({ text: "It is gone", action: { label: "Undo", run: () => undefined } });
  await expect.element(button("Undo")).toBeVisible();
  expect(stays(20_000)).toBe(true);
});
