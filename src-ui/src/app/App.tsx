/** Who is signed in decides what is shown: the sign-in page, the workspaces, the account, or the IDE. */
import {
  lazy,
  type ReactNode,
  Suspense,
  useCallback,
  useEffect,
  useMemo,
  useState,
  useSyncExternalStore,
} from "react";
import { Link, Redirect, Route, Switch, useLocation } from "wouter";
import { AccountPage } from "../features/account/AccountPage";
import { SignInAgain } from "../features/account/SignInAgain";
import { SignInPage } from "../features/account/SignInPage";
import { WorkspacesPage } from "../features/workspaces/WorkspacesPage";
import { SignInGate } from "../host/gate";
import type { Account } from "../host/generated/api/Account";
import { failureOf } from "../host/ide";
import { HostContext, useHost } from "../host/useHost";
import { Icon } from "../ui/Icon";
import { createPopups, PopupLayer, type Popups } from "./Popups";
import { type ThemeWish, themeWish, wishTheme } from "./theme";

// The editor and its terminals come when a workspace is opened, not before.
const Ide = lazy(() => import("./Ide").then((module) => ({ default: module.Ide })));
const AdminPage = lazy(() =>
  import("../features/admin/AdminPage").then((module) => ({ default: module.AdminPage })),
);

type Who =
  | { state: "asking" }
  | { state: "nobody" }
  | { state: "unreachable"; detail: string }
  | { state: "somebody"; account: Account };

export function App() {
  const { exchange } = useHost();
  const [who, setWho] = useState<Who>({ state: "asking" });
  const ask = useCallback(async () => {
    try {
      const account = (await (await exchange("GET", "/account")).json()) as Account;
      setWho({ state: "somebody", account });
    } catch (error) {
      const failure = failureOf(error);
      setWho(
        failure.status === 401 || failure.status === 403
          ? { state: "nobody" }
          : { state: "unreachable", detail: failure.detail },
      );
    }
  }, [exchange]);
  useEffect(() => void ask(), [ask]);
  switch (who.state) {
    case "asking":
      return <p className="page-note faint">Opening Slipway …</p>;
    case "nobody":
      return <SignInPage onSignedIn={(account) => setWho({ state: "somebody", account })} />;
    case "unreachable":
      return (
        <main className="page-note">
          <h2>The server does not answer</h2>
          <p className="muted">{who.detail} Nothing you wrote is lost.</p>
          <button type="button" className="btn btn-primary btn-lg" onClick={() => void ask()}>
            Try again
          </button>
        </main>
      );
    case "somebody":
      return (
        <Home
          account={who.account}
          onAccount={(account) => setWho({ state: "somebody", account })}
          onSignedOut={() => setWho({ state: "nobody" })}
        />
      );
  }
}

interface HomeProps {
  account: Account;
  onAccount: (account: Account) => void;
  onSignedOut: () => void;
}

function Home({ account, onAccount, onSignedOut }: HomeProps) {
  const popups = useMemo(() => createPopups(), []);
  const outer = useHost();
  const { socket } = outer;
  const gate = useMemo(() => new SignInGate(outer.exchange), [outer]);
  const host = useMemo(() => ({ ...outer, exchange: gate.exchange }), [outer, gate]);
  const expired = useSyncExternalStore(gate.watch, () => gate.closed);
  useEffect(() => {
    socket.start();
    // A browser does not say why a socket was refused; asking does.
    const unwatch = socket.watch((status) => {
      if (status.state === "waiting" && !gate.closed)
        gate.exchange("GET", "/account").catch(() => null);
    });
    return () => {
      unwatch();
      socket.stop();
    };
  }, [socket, gate]);
  const { exchange } = gate;
  const end = <AccountMenu account={account} popups={popups} onSignedOut={onSignedOut} />;
  return (
    <HostContext value={host}>
      <Switch>
        <Route path="/">
          <Page title="Workspaces" end={end}>
            <WorkspacesPage
              exchange={exchange}
              ask={popups.ask}
              confirm={popups.confirm}
              menu={popups.menu}
              toast={popups.toast}
            />
          </Page>
        </Route>
        {account.administrator ? (
          <Route path="/administration">
            <Page title="Administration" end={end}>
              <Suspense fallback={<p className="page-note faint">Opening the page …</p>}>
                <AdminPage exchange={exchange} account={account} toast={popups.toast} />
              </Suspense>
            </Page>
          </Route>
        ) : null}
        <Route path="/account">
          <Page title="Account" end={end}>
            <AccountPage
              exchange={exchange}
              account={account}
              onAccount={onAccount}
              onSignedOut={onSignedOut}
              toast={popups.toast}
            />
          </Page>
        </Route>
        <Route path="/w/:workspace">
          {({ workspace }) => (
            <Suspense fallback={<p className="page-note faint">Opening the workspace …</p>}>
              <Ide key={workspace} workspace={workspace} start={<Brand />} end={end} />
            </Suspense>
          )}
        </Route>
        <Route path="/sign-in">
          <Redirect to="/" />
        </Route>
        <Route>
          <Page title="Not found" end={end}>
            <div className="page-note">
              <h2>There is nothing here</h2>
              <Link href="/">Show the workspaces</Link>
            </div>
          </Page>
        </Route>
      </Switch>
      <PopupLayer popups={popups} />
      {expired ? (
        <SignInAgain
          exchange={outer.exchange}
          account={account}
          onSignedIn={() => {
            gate.open();
            socket.retry();
          }}
          onLeave={onSignedOut}
        />
      ) : null}
    </HostContext>
  );
}

function Brand() {
  return (
    <Link href="/" className="brand" aria-label="All workspaces" title="All workspaces">
      <Icon name="mark" className="accent" />
    </Link>
  );
}

function Page({ title, end, children }: { title: string; end: ReactNode; children: ReactNode }) {
  useEffect(() => {
    document.title = `${title} – Slipway`;
  }, [title]);
  return (
    <div className="plain">
      <header className="topbar">
        <div className="start">
          <Brand />
          <span className="medium">{title}</span>
        </div>
        <div className="end">{end}</div>
      </header>
      <main className="plain-main">{children}</main>
    </div>
  );
}

function AccountMenu({
  account,
  popups,
  onSignedOut,
}: {
  account: Account;
  popups: Popups;
  onSignedOut: () => void;
}) {
  const host = useHost();
  const [, go] = useLocation();
  const initials = account.name.slice(0, 2).toUpperCase();
  const theme = (wish: ThemeWish, label: string) => ({
    label: themeWish(host.kept) === wish ? `${label} ✓` : label,
    run: () => wishTheme(host.kept, wish),
  });
  const signOut = async () => {
    await host.exchange("POST", "/sign-out").catch(() => null);
    onSignedOut();
  };
  return (
    <button
      type="button"
      className="avatar btn-reset"
      aria-label={`Account of ${account.name}`}
      aria-haspopup="menu"
      title={account.email}
      onClick={(event) =>
        popups.menu(event.currentTarget, [
          { label: "All workspaces", run: () => go("/") },
          { label: "Account and devices", run: () => go("/account") },
          ...(account.administrator
            ? [{ label: "Administration", run: () => go("/administration") }]
            : []),
          null,
          theme("system", "Theme of the system"),
          theme("light", "Light theme"),
          theme("dark", "Dark theme"),
          null,
          { label: "Sign out", run: () => void signOut() },
        ])
      }
    >
      {initials}
    </button>
  );
}
