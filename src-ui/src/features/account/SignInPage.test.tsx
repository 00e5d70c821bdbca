/** Signing in and registering on the fake host: what is asked, refused and kept. */
import { expect, test } from "vitest";
import { page, userEvent } from "vitest/browser";
import { faults, stage, THEMES } from "../../dev/stage";
import type { FakeHost, FakeState } from "../../host/fake";
import type { Exchange } from "../../host/ide";
import { SignInPage } from "./SignInPage";

const nobody = () => undefined;
const SHOWS: [FakeState, string][] = [
  ["signed-out", "version 0.1.0"],
  ["first-account", "becomes its administrator"],
  ["offline", "The server does not answer"],
];

for (const theme of THEMES)
  for (const [state, words] of SHOWS)
    test(`${state} in the ${theme} theme: says so and has no faults`, async () => {
      await stage(<SignInPage onSignedIn={nobody} />, { state, theme });
      await expect.element(page.getByText(words)).toBeVisible();
      expect(await faults()).toEqual([]);
    });

test("the first empty field has the focus, and nothing typed is refused at its field", async () => {
  await stage(<SignInPage onSignedIn={nobody} />, { state: "signed-out" });
  const email = page.getByLabelText("E-mail");
  await expect.element(email).toHaveFocus();
  await userEvent.keyboard("nobody{Enter}");
  await expect.element(email).toHaveAccessibleDescription("An address has an @ in its middle.");
  await expect
    .element(page.getByLabelText("Password", { exact: true }))
    .toHaveAccessibleDescription("Give your password.");
});

test("who types already when the server answers goes on where they are", async () => {
  let answer = () => {};
  const asked = new Promise<void>((resolve) => {
    answer = resolve;
  });
  const before = async (host: FakeHost) => {
    const answers = host.exchange;
    const exchange: Exchange = async (method, path, ...rest) => {
      if (path === "/server") await asked;
      return answers(method, path, ...rest);
    };
    Object.assign(host, { exchange });
  };
  await stage(<SignInPage onSignedIn={nobody} />, { state: "signed-out", before });
  const email = page.getByLabelText("E-mail");
  await email.click();
  await userEvent.keyboard("ana");
  answer();
  await expect.element(page.getByText("version 0.1.0")).toBeVisible();
  await userEvent.keyboard("@example.org");
  await expect.element(email).toHaveValue("ana@example.org");
});

test("a refused sign-in is summed up on top and keeps what was typed", async () => {
  await stage(<SignInPage onSignedIn={nobody} />, { state: "signed-out" });
  const password = page.getByLabelText("Password", { exact: true });
  await page.getByLabelText("E-mail").fill("mo@example.org");
  await password.fill("wrong");
  await userEvent.keyboard("{Enter}");
  await expect.element(page.getByRole("alert")).toHaveTextContent("do not match");
  await expect.element(page.getByRole("alert")).toHaveFocus();
  await expect.element(page.getByLabelText("E-mail")).toHaveValue("mo@example.org");
  await expect.element(password).toHaveValue("wrong");
  await expect
    .element(password)
    .toHaveAccessibleDescription("Type it again, or show it with the eye.");
  expect(await faults()).toEqual([]);
});

test("a refused password is said once, at its field, which has the focus", async () => {
  await stage(<SignInPage onSignedIn={nobody} />, { state: "first-account" });
  const password = page.getByLabelText("Password", { exact: true });
  await page.getByLabelText("Name", { exact: true }).fill("Mo");
  await page.getByLabelText("E-mail").fill("mo@example.org");
  await password.fill("password123");
  await userEvent.keyboard("{Enter}");
  await expect.element(password).toHaveAccessibleDescription(/Attackers try this one first/);
  await expect.element(password).toHaveFocus();
  expect(page.getByText("Attackers try this one first").elements()).toHaveLength(1);
  expect(page.getByRole("alert").elements()).toEqual([]);
});

test("a new password says how strong it is while it is typed", async () => {
  await stage(<SignInPage onSignedIn={nobody} />, { state: "first-account" });
  const password = page.getByLabelText("Password", { exact: true });
  await password.fill("12345678");
  await expect.element(page.getByText("Weak.")).toBeVisible();
  await password.fill("quiet tide at seven bells");
  await expect.element(page.getByText("Strong.")).toBeVisible();
  expect(await faults()).toEqual([]);
});

test("closed registration has words of its own and a way back", async () => {
  await stage(<SignInPage onSignedIn={nobody} />, { state: "registration-closed" });
  await page.getByRole("button", { name: "New account" }).click();
  await expect.element(page.getByText("has closed registration")).toBeVisible();
  expect(await faults()).toEqual([]);
  await page.getByText("Ask them for an account").element();
  await page.getByRole("button", { name: "I have an account" }).last().click();
  await expect.element(page.getByLabelText("E-mail")).toBeVisible();
});
