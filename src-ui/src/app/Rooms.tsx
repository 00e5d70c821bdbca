/** The rooms that a browser and the desktop program share: account, administration, and a workspace. */
import type { ReactNode } from "react";
import { Route, Switch } from "wouter";
import type { Action } from "../bench/actions";
import { AccountPage } from "../features/account/AccountPage";
import type { Account } from "../host/generated/api/Account";
import { part } from "../ui/part";
import { Brand } from "./Brand";
import type { IdeProps } from "./Ide";
import { NotFound } from "./NotFound";
import { Page } from "./Page";

export const loading = <div className="splash late" role="status" aria-label="Loading" />;
// The editor and its terminals come when a workspace is opened, not before.
const Ide = part(() => import("./Ide").then((module) => module.Ide), loading);
const AdminPage = part(
  () => import("../features/admin/AdminPage").then((module) => module.AdminPage),
  loading,
);

interface Props extends Pick<IdeProps, "onOpen"> {
  account: Account | null;
  /** In the room of an account while there is none. */
  nobody: ReactNode;
  /** The account in the corner, and what can be done outside of any workspace. */
  end: ReactNode;
  own: () => Action[];
  onAccount: (account: Account) => void;
  onSignedOut: () => void;
}

export function Rooms({ account, nobody, end, own, onAccount, onSignedOut, ...ide }: Props) {
  return (
    <Switch>
      <Route path="/account">
        {account ? (
          <Page title="Account" end={end}>
            <AccountPage account={account} onAccount={onAccount} onSignedOut={onSignedOut} />
          </Page>
        ) : (
          nobody
        )}
      </Route>
      {account?.administrator ? (
        <Route path="/administration">
          <Page title="Administration" end={end}>
            <AdminPage account={account} />
          </Page>
        </Route>
      ) : null}
      <Route path="/w/:workspace">
        {({ workspace }) => (
          <Ide
            key={workspace}
            workspace={workspace}
            start={<Brand />}
            own={own}
            end={end}
            {...ide}
          />
        )}
      </Route>
      <Route>
        <NotFound end={end} />
      </Route>
    </Switch>
  );
}
