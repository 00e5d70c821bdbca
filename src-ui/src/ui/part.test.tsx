/** Parts that are loaded: something stands in their place, what fails is told. */
import { expect, test, vi } from "vitest";
import { page } from "vitest/browser";
import { stage } from "../dev/stage";
import { part } from "./part";

test("a part within a part takes the place of what stood there", async () => {
  const Inner = part(async () => () => <h2>Tree</h2>, <p>Opening the tree</p>);
  const Outer = part(async () => () => <Inner />, <p>Opening</p>);
  await stage(<Outer />);
  await expect.element(page.getByRole("heading", { name: "Tree" })).toBeInTheDocument();
  await expect.element(page.getByText("Opening")).not.toBeInTheDocument();
});

test("a part that cannot be loaded says so", async () => {
  const quiet = vi.spyOn(console, "error").mockImplementation(() => undefined);
  const Broken = part(() => Promise.reject(new Error("gone")), <p>Opening</p>);
  await stage(<Broken />);
  await expect.element(page.getByRole("alert")).toHaveTextContent("could not be shown");
  quiet.mockRestore();
});
