/** Everything behind the sign-in: workspaces, account, administration, and the IDE. */
import { useCallback, useMemo, useSyncExternalStore } from "react";
import { Redirect, Route, Switch } from "wouter";
import { SignInAgain } from "../features/account/SignInAgain";
import { WorkspacesPage } from "../features/workspaces/WorkspacesPage";
import type { ConnectionStatus } from "../host/connection";
import { SignInGate } from "../host/gate";
import type { Account } from "../host/generated/api/Account";
import { useHost } from "../host/useHost";
import { usePopups } from "../ui/popups";
import { AccountMenu } from "./AccountMenu";
import { Around } from "./Around";
import { accountActions, signOut } from "./account";
import { Page } from "./Page";
import { Rooms } from "./Rooms";

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
      <Places {...props} />
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

function Places({ account, onAccount, onSignedOut }: Props) {
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
      <Route path="/sign-in">
        <Redirect to="/" />
      </Route>
      <Route>
        <Rooms
          account={account}
          nobody={null}
          end={end}
          own={own}
          onAccount={onAccount}
          onSignedOut={onSignedOut}
        />
      </Route>
    </Switch>
  );
}
