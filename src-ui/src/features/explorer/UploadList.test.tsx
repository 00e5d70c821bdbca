/** Uploads as they are heard: how each ended, and not every byte of it. */
import { expect, test } from "vitest";
import { page } from "vitest/browser";
import { createStore } from "zustand/vanilla";
import { stage } from "../../dev/stage";
import { UploadList } from "./UploadList";
import type { Batch, Uploads } from "./upload";

test("bytes on the way are seen only, and the end is said", async () => {
  const batch: Batch = {
    id: 1,
    label: "data",
    sent: 10,
    total: 100,
    state: "sending",
    problems: [],
  };
  const store = createStore(() => ({ batches: [batch] }));
  await stage(<UploadList uploads={{ store, dismiss: () => undefined } as unknown as Uploads} />);
  const region = page.getByRole("region", { name: "Uploads" });
  await expect.element(region).not.toHaveAttribute("aria-live");
  await expect.element(region.getByRole("progressbar")).toHaveAttribute("aria-valuenow", "10");
  await expect.element(region.getByRole("status")).toHaveTextContent("");
  store.setState({ batches: [{ ...batch, sent: 100, state: "done" }] });
  await expect.element(region.getByRole("status")).toHaveTextContent("data: Uploaded");
});
