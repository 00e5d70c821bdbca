/** The account and the administration on the fake host. */
import { expect, test } from "vitest";
import { page } from "vitest/browser";
import { faults, stage, THEMES } from "../../dev/stage";
import { worldAt } from "../../host/fakeData";
import { AccountPage } from "./AccountPage";

const { account } = worldAt(0);
let signedOut = 0;
const frame = (
  <div className="page">
    <AccountPage
      account={account}
      onAccount={() => undefined}
      onSignedOut={() => {
        signedOut += 1;
      }}
    />
  </div>
);

for (const theme of THEMES)
  for (const [state, words] of [
    ["full", "Firefox on Windows"],
    ["empty", "No other device is signed in."],
    ["error", "This could not be read"],
    ["offline", "The server does not answer"],
  ] as const)
    test(`${state} in the ${theme} theme: says so and has no faults`, async () => {
      await stage(frame, { state, theme });
      await expect.element(page.getByText(words)).toBeVisible();
      expect(await faults()).toEqual([]);
    });

test("this device is marked, another can be signed out", async () => {
  await stage(frame);
  const row = page.getByRole("listitem", { name: "Firefox on Windows" });
  await expect
    .element(page.getByRole("listitem", { name: "Chromium on Linux" }))
    .toHaveTextContent("This device");
  await row.getByRole("button", { name: "Sign out" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Sign out" }).click();
  await expect.element(row).not.toBeInTheDocument();
});

test("the account ends only when its address and password are typed", async () => {
  await stage(frame);
  const end = page.getByRole("button", { name: "Delete account and all workspaces" });
  await expect.element(end).toBeDisabled();
  await page.getByLabelText("Type mo@example.org to confirm").fill("mo@example.org");
  await expect.element(end).toBeDisabled();
  await page
    .getByRole("textbox", { name: "Password", exact: true })
    .fill("quiet tide at seven bells");
  await end.click();
  await expect.poll(() => signedOut).toBe(1);
});
