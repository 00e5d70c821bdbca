/** Everything behind the sign-in: workspaces, account, administration, and the IDE. */
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { useEffect, useMemo, useSyncExternalStore } from "react";
import { Link, Redirect, Route, Switch } from "wouter";
import { type Action, entryOf } from "../bench/actions";
import { AccountPage } from "../features/account/AccountPage";
import { SignInAgain } from "../features/account/SignInAgain";
import { WorkspacesPage } from "../features/workspaces/WorkspacesPage";
import { SignInGate } from "../host/gate";
import type { Account } from "../host/generated/api/Account";
import { HostContext, useHost } from "../host/useHost";
import { Icon } from "../ui/Icon";
import { PopupLayer } from "../ui/PopupLayer";
import { part } from "../ui/part";
import { createPopups, PopupContext, usePopups } from "../ui/popups";
import { accountActions, signOut } from "./account";
import { Brand } from "./Brand";
import { Page } from "./Page";

const loading = <div className="splash late" role="status" aria-label="Loading" />;
// The editor and its terminals come when a workspace is opened, not before.
const Ide = part(() => import("./Ide").then((module) => module.Ide), loading);
const AdminPage = part(
  () => import("../features/admin/AdminPage").then((module) => module.AdminPage),
  loading,
);

interface Props {
  account: Account;
  onAccount: (account: Account) => void;
  onSignedOut: () => void;
}

export function Home(props: Props) {
  const outer = useHost();
  const gate = useMemo(() => new SignInGate(outer.exchange), [outer]);
  const host = useMemo(() => ({ ...outer, exchange: gate.exchange }), [outer, gate]);
  const popups = useMemo(() => createPopups(), []);
  // What fails says so at once; the connection's return asks again, not a timer.
  const lists = useMemo(
    () => new QueryClient({ defaultOptions: { queries: { retry: false, networkMode: "always" } } }),
    [],
  );
  const expired = useSyncExternalStore(gate.watch, () => gate.closed);
  const { socket, connection } = host;
  useEffect(() => {
    socket.start();
    const unwatch = connection.watch((status) => {
      // A browser does not say why a socket was refused; asking does.
      if (status.state === "waiting" && !gate.closed)
        gate.exchange("GET", "/account").catch(() => null);
      if (status.state !== "online") return;
      popups.back();
      void lists.invalidateQueries();
    });
    return () => {
      unwatch();
      socket.stop();
    };
  }, [socket, connection, gate, lists, popups]);
  return (
    <HostContext value={host}>
      <PopupContext value={popups}>
        <QueryClientProvider client={lists}>
          <Routes {...props} />
          <PopupLayer popups={popups} />
          {expired ? (
            <SignInAgain
              exchange={outer.exchange}
              account={props.account}
              onSignedIn={() => {
                gate.open();
                connection.retry();
              }}
              onLeave={props.onSignedOut}
            />
          ) : null}
        </QueryClientProvider>
      </PopupContext>
    </HostContext>
  );
}

function Routes({ account, onAccount, onSignedOut }: Props) {
  const host = useHost();
  const popups = usePopups();
  const own = () =>
    accountActions(account, host.kept, () => void signOut(host, popups, onSignedOut));
  const end = <AccountMenu account={account} actions={own} />;
  return (
    <Switch>
      <Route path="/">
        <Page title="Workspaces" end={end}>
          <WorkspacesPage />
        </Page>
      </Route>
      <Route path="/account">
        <Page title="Account" end={end}>
          <AccountPage account={account} onAccount={onAccount} onSignedOut={onSignedOut} />
        </Page>
      </Route>
      {account.administrator ? (
        <Route path="/administration">
          <Page title="Administration" end={end}>
            <AdminPage account={account} />
          </Page>
        </Route>
      ) : null}
      <Route path="/w/:workspace">
        {({ workspace }) => (
          <Ide key={workspace} workspace={workspace} start={<Brand />} own={own} end={end} />
        )}
      </Route>
      <Route path="/sign-in">
        <Redirect to="/" />
      </Route>
      <Route>
        <Page title="Not found" end={end}>
          <main className="empty">
            <Icon name="search" />
            <h1>There is nothing here</h1>
            <p>The address may be mistyped, or what it showed is gone.</p>
            <div className="actions">
              <Link href="/" className="btn btn-primary">
                Show the workspaces
              </Link>
            </div>
          </main>
        </Page>
      </Route>
    </Switch>
  );
}

/** The account's part of the registry, in the groups of its menu. */
function AccountMenu({ account, actions }: { account: Account; actions: () => Action[] }) {
  const popups = usePopups();
  const initials = account.name.slice(0, 2).toUpperCase();
  const open = (at: Element) => {
    const all = actions();
    const part = (wanted: (id: string) => boolean) =>
      all.filter((one) => wanted(one.id)).map(entryOf);
    const isTheme = (id: string) => id.startsWith("app.theme.");
    const isEnd = (id: string) => id === "app.signOut";
    const places = part((id) => !isTheme(id) && !isEnd(id));
    popups.menu(at, [...places, null, ...part(isTheme), null, ...part(isEnd)]);
  };
  return (
    <button
      type="button"
      className="avatar btn-reset"
      aria-label={`Account of ${account.name}`}
      aria-haspopup="menu"
      title={account.email}
      onClick={(event) => open(event.currentTarget)}
    >
      {initials}
    </button>
  );
}
