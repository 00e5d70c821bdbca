/** The accounts of the server: found by name or e-mail, kept out, let in again, given a new password. */
import { useInfiniteQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import type { Account } from "../../host/generated/api/Account";
import type { UpdateUser } from "../../host/generated/api/UpdateUser";
import type { User } from "../../host/generated/api/User";
import type { Users } from "../../host/generated/api/Users";
import { useHost } from "../../host/useHost";
import { BusyButton } from "../../ui/BusyButton";
import { Card, ListFailed, ListToCome } from "../../ui/Card";
import { Icon } from "../../ui/Icon";
import { usePopups } from "../../ui/popups";
import { oneTimePassword } from "./password";

const USERS = ["users"];

export function People({ account }: { account: Account }) {
  const { exchange } = useHost();
  const [wanted, setWanted] = useState("");
  const { data, error, refetch, fetchNextPage, hasNextPage, isFetchingNextPage } = useInfiniteQuery(
    {
      queryKey: USERS,
      initialPageParam: "",
      queryFn: async ({ pageParam, signal }) => {
        const cursor = pageParam === "" ? "" : `?cursor=${encodeURIComponent(pageParam)}`;
        return (await (await exchange("GET", `/admin/users${cursor}`, { signal })).json()) as Users;
      },
      getNextPageParam: (page) => page.next,
    },
  );
  const words = wanted.trim().toLowerCase();
  const users = data?.pages.flatMap((page) => page.users);
  const shown = users?.filter((user) => `${user.name} ${user.email}`.toLowerCase().includes(words));
  return (
    <Card id="people" title="People" text="Everybody who has an account here.">
      <span className="input input-sm admin-search">
        <Icon name="search" />
        <input
          type="search"
          aria-label="Search people"
          placeholder="Search by name or e-mail"
          value={wanted}
          onChange={(event) => setWanted(event.target.value)}
        />
      </span>
      {error ? <ListFailed error={error} onRetry={() => void refetch()} /> : null}
      {shown ? (
        <ul className="set-list" aria-label="People">
          {shown.map((user) => (
            <Person key={user.id} user={user} own={user.id === account.id} />
          ))}
          {shown.length === 0 ? (
            <li className="small faint set-note">
              Nobody fits “{wanted.trim()}”{hasNextPage ? " among those shown so far" : ""}.
            </li>
          ) : null}
          {shown.length === 1 && words === "" ? (
            <li className="small faint set-note">Nobody else has an account yet.</li>
          ) : null}
        </ul>
      ) : error ? null : (
        <ListToCome rows={3} label="Loading the people" />
      )}
      {hasNextPage ? (
        <div>
          <BusyButton
            type="button"
            className="btn"
            busy={isFetchingNextPage}
            onClick={() => void fetchNextPage()}
          >
            Show more
          </BusyButton>
        </div>
      ) : null}
    </Card>
  );
}

function Person({ user, own }: { user: User; own: boolean }) {
  const { exchange, randomBytes } = useHost();
  const { confirm, failed } = usePopups();
  const client = useQueryClient();
  const [secret, setSecret] = useState<string | null>(null);
  const attempt = async (what: () => Promise<unknown>) => {
    try {
      await what();
    } catch (error) {
      failed(error);
    }
    await client.invalidateQueries({ queryKey: USERS });
  };
  const change = (json: UpdateUser) =>
    attempt(() => exchange("PATCH", `/admin/users/${user.id}`, { json }));
  const disable = async () => {
    const sure = await confirm({
      title: `Keep ${user.name} out?`,
      text: "All devices are signed out. Workspaces and files stay, and the account can be let in again.",
      yes: "Disable account",
      danger: true,
    });
    if (sure) await change({ disabled: true });
  };
  const reset = async () => {
    const sure = await confirm({
      title: `Reset the password of ${user.name}?`,
      text: "All devices are signed out. A new password is shown once, for you to pass on.",
      yes: "Reset password",
    });
    if (!sure) return;
    const password = oneTimePassword(randomBytes);
    await attempt(async () => {
      await exchange("POST", `/admin/users/${user.id}/password-reset`, { json: { password } });
      setSecret(password);
    });
  };
  const many = user.workspaces === 1 ? "1 workspace" : `${user.workspaces} workspaces`;
  return (
    <li className="set-row admin-person" aria-label={user.name}>
      <span className={`avatar${user.disabled ? " is-out" : ""}`} aria-hidden="true">
        {user.name.slice(0, 2).toUpperCase()}
      </span>
      <span className="grow">
        <span className="medium">{user.name}</span>
        <span className="small faint">
          {user.email} · {many}
        </span>
      </span>
      {user.administrator ? (
        <span className="badge">
          <Icon name="shield" />
          Administrator
        </span>
      ) : null}
      {user.disabled ? (
        <span className="badge">
          <Icon name="ban" className="danger" />
          Disabled
        </span>
      ) : null}
      {own ? (
        <span className="small faint">you</span>
      ) : (
        <span className="row gap2">
          <button
            type="button"
            className="btn btn-sm"
            onClick={() => void (user.disabled ? change({ disabled: false }) : disable())}
          >
            {user.disabled ? "Enable" : "Disable"}
          </button>
          <button type="button" className="btn btn-sm" onClick={() => void reset()}>
            Reset password
          </button>
        </span>
      )}
      {secret ? <Secret name={user.name} secret={secret} onDone={() => setSecret(null)} /> : null}
    </li>
  );
}

interface SecretProps {
  name: string;
  secret: string;
  onDone: () => void;
}

function Secret({ name, secret, onDone }: SecretProps) {
  const { clipboard } = useHost();
  const { toast } = usePopups();
  const copy = () =>
    clipboard.write(secret).then(
      () => toast({ tone: "ok", text: "The password is copied." }),
      () =>
        toast({ tone: "warn", text: "The browser did not let it be copied. Mark and copy it." }),
    );
  return (
    <div className="admin-secret" role="status">
      <Icon name="key" className="muted" />
      <span className="grow">
        The new password of {name}, shown once: <code className="mono">{secret}</code>
      </span>
      <button type="button" className="btn btn-sm" onClick={() => void copy()}>
        <Icon name="copy" />
        Copy
      </button>
      <button type="button" className="btn btn-ghost btn-sm" onClick={onDone}>
        Done
      </button>
    </div>
  );
}
