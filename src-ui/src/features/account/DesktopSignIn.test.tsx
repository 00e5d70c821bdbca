/** The sign-in in the desktop program: a server, an account, and a plain word on where the sign-in is kept. */
import { expect, test, vi } from "vitest";
import { page } from "vitest/browser";
import { faults, stage, THEMES } from "../../dev/stage";
import { useProgram } from "../../host/local";
import { DesktopSignIn } from "./DesktopSignIn";

function Room({ onSignedIn }: { onSignedIn: () => void }) {
  const { data } = useProgram();
  return data ? <DesktopSignIn program={data} from={null} onSignedIn={onSignedIn} /> : null;
}

for (const theme of THEMES)
  test(`without a keychain, in the ${theme} theme: says so and has no faults`, async () => {
    await stage(<Room onSignedIn={vi.fn()} />, { state: "signed-out", desktop: true, theme });
    await expect.element(page.getByText(/has no keychain/).first()).toBeVisible();
    expect(await faults()).toEqual([]);
  });

test("without a keychain the person's choice goes along with the sign-in", async () => {
  const onSignedIn = vi.fn();
  const { host } = await stage(<Room onSignedIn={onSignedIn} />, {
    state: "signed-out",
    desktop: true,
  });
  await page.getByRole("radio", { name: /In a file of yours/ }).click();
  await page.getByLabelText("E-mail").fill("mo@example.org");
  await page.getByLabelText("Password", { exact: true }).fill("quiet tide");
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect.poll(() => onSignedIn.mock.calls.length).toBe(1);
  expect(host.program?.desktop.server?.kept).toBe("file");
});

test("another server is chosen in place", async () => {
  const { host } = await stage(<Room onSignedIn={vi.fn()} />, {
    state: "signed-out",
    desktop: true,
  });
  await page.getByRole("button", { name: "Other server" }).click();
  await page.getByLabelText("Server").fill("nowhere");
  await page.getByRole("button", { name: "Use it" }).click();
  await expect.element(page.getByText("Nothing answers at this address.")).toBeVisible();
  await page.getByLabelText("Server").fill("harbor.example.org");
  await page.getByRole("button", { name: "Use it" }).click();
  await expect.poll(() => host.program?.desktop.server?.address).toBe("https://harbor.example.org");
});

test("a server whose connection can be read on the way is said to be one", async () => {
  await stage(<Room onSignedIn={vi.fn()} />, { state: "signed-out", desktop: true });
  const warning = page.getByText(/is not encrypted/);
  await expect.element(page.getByRole("button", { name: "Other server" })).toBeVisible();
  expect(warning.elements()).toEqual([]);
  await page.getByRole("button", { name: "Other server" }).click();
  await page.getByLabelText("Server").fill("http://harbor.example.org");
  await page.getByRole("button", { name: "Use it" }).click();
  await expect.element(warning).toBeVisible();
});
