/** The row in which a name is typed: it stands, with the name, until the server has made or refused it. */
import { expect, test, vi } from "vitest";
import { page, userEvent } from "vitest/browser";
import { type Bench, BenchContext } from "../../bench/bench";
import { stage } from "../../dev/stage";
import type { Explorer } from "./model";
import { NameInput } from "./NameInput";

/** `pause` ends the pauses that are waited for. */
async function shown(commit: () => Promise<unknown>) {
  const pauses = new Set<() => void>();
  const explorer = {
    tree: { inTheWay: () => null },
    endEdit: vi.fn(),
    reveal: vi.fn(),
    name: (give: () => Promise<void>) => give(),
  };
  const bench = {
    host: { newId: () => "id" },
    live: { calls: { commit }, pullFiles: async () => undefined },
    open: vi.fn(),
    failed: vi.fn(),
  };
  await stage(
    <BenchContext value={bench as unknown as Bench}>
      <div role="tree" aria-label="Files" tabIndex={0}>
        <NameInput
          explorer={explorer as unknown as Explorer}
          top={0}
          level={0}
          folder="src"
          what="file"
        />
      </div>
    </BenchContext>,
    {
      before: async (host) => {
        vi.spyOn(host, "after").mockImplementation((_ms, run) => {
          pauses.add(run);
          return () => pauses.delete(run);
        });
      },
    },
  );
  const pause = () => {
    for (const run of pauses) run();
  };
  const field = page.getByRole("textbox", { name: "Name of the new file" });
  return { explorer, bench, pause, field };
}

test("a refused name stays where it was typed, with the reason", async () => {
  const commit = vi
    .fn<() => Promise<unknown>>()
    .mockRejectedValueOnce({ code: "network", detail: "The server does not answer.", status: 0 })
    .mockResolvedValueOnce({ outcomes: [{ result: "rejected", message: "No room." }] })
    .mockResolvedValueOnce({ outcomes: [{ result: "applied" }] });
  const { explorer, field } = await shown(commit);
  await field.fill("main.py");
  for (const why of ["The server does not answer.", "No room."]) {
    await userEvent.keyboard("{Enter}");
    await expect.element(page.getByRole("alert")).toHaveTextContent(why);
    await expect.element(field).toHaveValue("main.py");
    await expect.element(field).toHaveFocus();
    expect(explorer.endEdit).not.toHaveBeenCalled();
  }
  await userEvent.keyboard("{Enter}");
  await expect.element(page.getByRole("tree")).toHaveFocus();
  expect(explorer.endEdit).toHaveBeenCalledOnce();
  expect(explorer.reveal).toHaveBeenCalledWith("src/main.py");
});

test("Escape leaves without asking the server", async () => {
  const commit = vi.fn(async () => ({ outcomes: [] }));
  const { explorer, field } = await shown(commit);
  await field.fill("main.py");
  await userEvent.keyboard("{Escape}");
  expect(explorer.endEdit).toHaveBeenCalledOnce();
  await expect.element(page.getByRole("tree")).toHaveFocus();
  expect(commit).not.toHaveBeenCalled();
});

test("what is wrong is seen while typing, and heard after a pause or at Enter", async () => {
  const { field, pause } = await shown(async () => ({ outcomes: [] }));
  const wrong = page.getByText(/cannot|not allowed|may not/i);
  const heard = page.getByRole("alert");
  await field.fill("a:b");
  await expect.element(wrong).toBeVisible();
  expect(heard.elements()).toHaveLength(0);
  await userEvent.keyboard("{Enter}");
  await expect.element(heard).toBeVisible();
  await field.fill("a:bc");
  await expect.element(heard).not.toBeInTheDocument();
  pause();
  await expect.element(heard).toBeVisible();
});
