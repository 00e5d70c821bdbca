/** What can be done in the desktop program wherever one is. Its menu names these by their ids. */
import { navigate } from "wouter/use-browser-location";
import { type Action, action } from "../bench/actions";
import { createLocal, openFolder } from "../features/start/acts";
import type { Desktop } from "../host/generated/api/Desktop";
import type { Host } from "../host/host";
import { toSignIn } from "../host/signIn";
import type { Popups } from "../ui/popups";
import { signOut, themeActions } from "./account";

export function desktopActions(
  host: Host,
  popups: Popups,
  program: Desktop | null,
  quit: () => void,
): Action[] {
  const account = program?.server?.account ?? null;
  const signedOut = account ? null : "Nobody is signed in to a server";
  const go = (address: string) => () => navigate(address);
  return [
    action("app.start", "Workspaces of this computer", "list", go("/")),
    action("app.open", "Open a folder…", "folder-open", () => void openFolder(host, popups), {
      keys: ["Ctrl+O"],
    }),
    action(
      "app.new",
      "New workspace…",
      "folder-plus",
      () => void createLocal(host, popups, "empty", program?.home ?? ""),
    ),
    action("app.workspaces", "Workspaces of the server", "server", go("/server"), {
      unavailable: signedOut,
    }),
    action("app.account", "Account and devices", "monitor", go("/account"), {
      unavailable: signedOut,
    }),
    ...(account?.administrator
      ? [action("app.administration", "Administration", "settings", go("/administration"))]
      : []),
    ...themeActions(host.kept),
    account
      ? action("app.signOut", "Sign out", "log-out", () => void signOut(host, popups, go("/")))
      : action("app.signIn", "Sign in to a server…", "user", () => navigate(toSignIn())),
    action("app.quit", "Quit", "x", quit),
  ];
}
