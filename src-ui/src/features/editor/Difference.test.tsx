/** Both sides of a difference have a name of their own. */
import { expect, test } from "vitest";
import { page } from "vitest/browser";
import { benchScene } from "../../dev/benchStage";
import { stage } from "../../dev/stage";
import { Difference } from "./Difference";

test("each text says which one it is", async () => {
  const { around } = await benchScene();
  await stage(
    around(
      <div style={{ width: 900, height: 300, display: "grid" }}>
        <Difference path="a.py" before="one" after="two" names={["Then", "Now"]} />
      </div>,
    ),
    { desktop: true },
  );
  for (const name of ["Then", "Now"])
    await expect
      .element(page.getByRole("textbox", { name, exact: true }), { timeout: 14_000 })
      .toBeInTheDocument();
});
