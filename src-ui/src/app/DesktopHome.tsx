/** The page in the desktop program: nobody has to sign in, and what is on this computer is there at once. */
import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useLayoutEffect, useRef } from "react";
import { Redirect, Route, Switch, useLocation, useSearch } from "wouter";
import { navigate } from "wouter/use-browser-location";
import { DesktopSignIn } from "../features/account/DesktopSignIn";
import { StartPage } from "../features/start/StartPage";
import { WorkspacesPage } from "../features/workspaces/WorkspacesPage";
import type { Kept } from "../host/host";
import { refresh, useProgram } from "../host/local";
import { cameFrom, toSignIn } from "../host/signIn";
import { useHost } from "../host/useHost";
import { usePopups } from "../ui/popups";
import { AccountMenu } from "./AccountMenu";
import { Around } from "./Around";
import { desktopActions } from "./desktop";
import type { OpenWorkspace } from "./Ide";
import { Page } from "./Page";
import { loading, Rooms } from "./Rooms";
import { useKeys } from "./useKeys";

const LAST = "slipway.desktop.last";

export function DesktopHome() {
  const host = useHost();
  usePainted();
  return (
    <Around host={host}>
      <Places />
    </Around>
  );
}

/** The program doubts a page that shows nothing. */
function usePainted(): void {
  const { desktop } = useHost();
  useEffect(() => {
    let second = 0;
    // The frame after the next one: by then this one has been seen.
    const first = requestAnimationFrame(() => {
      second = requestAnimationFrame(() => desktop?.painted());
    });
    return () => {
      cancelAnimationFrame(first);
      cancelAnimationFrame(second);
    };
  }, [desktop]);
}

/** Begins where the last visit ended: in its workspace. */
function useLast(kept: Kept): void {
  const [place] = useLocation();
  const begun = useRef(false);
  // Before anything is drawn: the first page would flash.
  useLayoutEffect(() => {
    const workspace = /^\/w\/([^/]+)/.exec(place)?.[1];
    const last = kept.get(LAST);
    if (workspace) kept.set(LAST, workspace);
    else if (!begun.current && place === "/" && last) navigate(`/w/${last}`, { replace: true });
    else if (begun.current) kept.remove(LAST);
    begun.current = true;
  }, [kept, place]);
}

function Places() {
  const host = useHost();
  const popups = usePopups();
  const lists = useQueryClient();
  const { data: program } = useProgram();
  useLast(host.kept);
  const from = cameFrom(useSearch());
  const account = program?.server?.account ?? null;
  const open = useRef<OpenWorkspace | null>(null);
  const quit = async () => {
    // What cannot be kept now is lost in any case; to stay for it would only hold the person up.
    await open.current?.putDown().catch(() => undefined);
    host.desktop?.leave();
  };
  const own = () => desktopActions(host, popups, program ?? null, () => void quit());
  const newest = useRef(own);
  newest.current = own;
  useEffect(
    () =>
      host.desktop?.told((told) => {
        void refresh(lists, told);
        if (told.told === "show") navigate(told.address);
        if (told.told !== "menu") return;
        // Those of the workspace while one is open.
        const actions = (open.current?.actions ?? newest.current)();
        const chosen = actions.find(({ id }) => id === told.action);
        if (chosen?.unavailable) popups.toast({ text: `${chosen.title}: ${chosen.unavailable}` });
        else chosen?.run();
      }),
    [host, lists, popups],
  );
  // An open workspace hears them itself, with its own.
  useKeys(() => (open.current ? [] : own()), popups.toast);
  const end = <AccountMenu account={account} actions={own} />;
  const signedIn = (room: React.ReactNode) =>
    !program ? loading : account ? room : <Redirect to={toSignIn()} />;
  return (
    <Switch>
      <Route path="/">
        <Page title="Start" end={end}>
          <StartPage />
        </Page>
      </Route>
      <Route path="/server">
        {signedIn(
          <Page title="Workspaces" end={end}>
            <WorkspacesPage />
          </Page>,
        )}
      </Route>
      <Route path="/sign-in">
        {!program ? (
          loading
        ) : account ? (
          <Redirect to={from ?? "/server"} />
        ) : program.server ? (
          <DesktopSignIn
            program={program}
            from={from}
            onSignedIn={() => void refresh(lists, { told: "account" })}
          />
        ) : (
          // The first page asks for a server.
          <Redirect to="/" />
        )}
      </Route>
      <Route>
        <Rooms
          account={account}
          nobody={signedIn(null)}
          end={end}
          own={own}
          onAccount={() => void refresh(lists, { told: "account" })}
          onSignedOut={() => navigate("/")}
          onOpen={(workspace) => {
            open.current = workspace;
          }}
        />
      </Route>
    </Switch>
  );
}
