/** What can be done wherever one is: other pages, the theme, and leaving. */
import { navigate } from "wouter/use-browser-location";
import { type Action, action } from "../bench/actions";
import type { Account } from "../host/generated/api/Account";
import type { Host, Kept } from "../host/host";
import { failureOf, isOffline } from "../host/ide";
import type { Popups } from "../ui/popups";
import { type ThemeWish, themeWish, wishTheme } from "./theme";

export function accountActions(account: Account, kept: Kept, signOut: () => void): Action[] {
  const administration = action("app.administration", "Administration", "settings", () =>
    navigate("/administration"),
  );
  return [
    action("app.workspaces", "All workspaces", "list", () => navigate("/")),
    action("app.account", "Account and devices", "monitor", () => navigate("/account")),
    ...(account.administrator ? [administration] : []),
    ...themeActions(kept),
    action("app.signOut", "Sign out", "log-out", signOut),
  ];
}

export function themeActions(kept: Kept): Action[] {
  const theme = (wish: ThemeWish, title: string, icon: string) =>
    action(`app.theme.${wish}`, title, icon, () => wishTheme(kept, wish), {
      checked: themeWish(kept) === wish,
    });
  return [
    theme("system", "Theme of the system", "monitor"),
    theme("light", "Light theme", "sun"),
    theme("dark", "Dark theme", "moon"),
  ];
}

/** Only the server can end a sign-in; to say so without it would leave the next person signed in. */
export async function signOut(host: Host, popups: Popups, then: () => void): Promise<void> {
  try {
    await host.exchange("POST", "/sign-out");
    then();
  } catch (error) {
    const failure = failureOf(error);
    const text = isOffline(failure)
      ? "You are still signed in: the server does not answer. Sign out again when it does."
      : `You are still signed in. ${failure.detail}`;
    const again = { label: "Try again", run: () => void signOut(host, popups, then) };
    popups.toast({ tone: "danger", text, action: again });
  }
}
