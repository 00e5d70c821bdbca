/** Everything behind the sign-in: workspaces, account, administration, and the IDE. */
import { useCallback, useMemo, useSyncExternalStore } from "react";
import { Redirect, Route, Switch } from "wouter";
import { AccountPage } from "../features/account/AccountPage";
import { SignInAgain } from "../features/account/SignInAgain";
import { WorkspacesPage } from "../features/workspaces/WorkspacesPage";
import type { ConnectionStatus } from "../host/connection";
import { SignInGate } from "../host/gate";
import type { Account } from "../host/generated/api/Account";
import { useHost } from "../host/useHost";
import { part } from "../ui/part";
import { usePopups } from "../ui/popups";
import { AccountMenu } from "./AccountMenu";
import { Around } from "./Around";
import { accountActions, signOut } from "./account";
import { Brand } from "./Brand";
import { NotFound } from "./NotFound";
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
  const expired = useSyncExternalStore(gate.watch, () => gate.closed);
  const heard = useCallback(
    (status: ConnectionStatus) => {
      // A browser does not say why a socket was refused; asking does.
      if (status.state === "waiting" && !gate.closed)
        gate.exchange("GET", "/account").catch(() => null);
    },
    [gate],
  );
  return (
    <Around host={host} heard={heard}>
      <Routes {...props} />
      {expired ? (
        <SignInAgain
          exchange={outer.exchange}
          account={props.account}
          onSignedIn={() => {
            gate.open();
            host.connection.retry();
          }}
          onLeave={props.onSignedOut}
        />
      ) : null}
    </Around>
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
        <NotFound end={end} />
      </Route>
    </Switch>
  );
}
