/** The server as its administrators steer it: who may register, who may sign in, forgotten passwords. */
import { useCallback, useEffect, useState } from "react";
import type { Account } from "../../host/generated/api/Account";
import type { ServerInfo } from "../../host/generated/api/ServerInfo";
import type { UpdateUser } from "../../host/generated/api/UpdateUser";
import type { User } from "../../host/generated/api/User";
import type { Users } from "../../host/generated/api/Users";
import { type Exchange, failureOf } from "../../host/ide";
import { useHost } from "../../host/useHost";
import { oneTimePassword } from "./password";

interface Props {
  exchange: Exchange;
  account: Account;
  toast: (message: { text: string; tone?: "ok" | "warn" | "danger" }) => void;
}

export function AdminPage(props: Props) {
  return (
    <div className="account">
      <h1>Administration</h1>
      <Registration {...props} />
      <People {...props} />
    </div>
  );
}

function Registration({ exchange, toast }: Props) {
  const [server, setServer] = useState<ServerInfo | null>(null);
  const [failure, setFailure] = useState("");
  useEffect(() => {
    exchange("GET", "/server")
      .then(async (answer) => setServer((await answer.json()) as ServerInfo))
      .catch((error) => setFailure(failureOf(error).detail));
  }, [exchange]);
  const set = async (open: boolean) => {
    setFailure("");
    const show = (to: boolean) => setServer((now) => now && { ...now, registration_open: to });
    show(open);
    try {
      await exchange("PATCH", "/admin/server", { json: { registration_open: open } });
      const text = open
        ? "Anyone who reaches this server may register."
        : "Registration is closed.";
      toast({ text, tone: "ok" });
    } catch (error) {
      show(!open);
      setFailure(failureOf(error).detail);
    }
  };
  return (
    <section className="card account-card" aria-label="Server">
      <h2>Server</h2>
      {failure ? (
        <p className="danger" role="alert">
          {failure}
        </p>
      ) : null}
      {server ? (
        <>
          <label className="row gap3">
            <input
              type="checkbox"
              checked={server.registration_open}
              onChange={(event) => void set(event.target.checked)}
            />
            New accounts may register
          </label>
          <p className="small muted">
            Version {server.version}.{" "}
            {server.can_run ? "Sessions can run here." : server.cannot_run_reason}
          </p>
        </>
      ) : failure ? null : (
        <p className="faint">Asking the server …</p>
      )}
    </section>
  );
}

function People({ exchange, account, toast }: Props) {
  const [users, setUsers] = useState<User[] | null>(null);
  const [next, setNext] = useState<string | undefined>();
  const [wanted, setWanted] = useState("");
  const [failure, setFailure] = useState("");
  const load = useCallback(
    async (cursor?: string) => {
      setFailure("");
      try {
        const more = cursor ? `?cursor=${cursor}` : "";
        const page = (await (await exchange("GET", `/admin/users${more}`)).json()) as Users;
        setUsers((before) => [...(cursor ? (before ?? []) : []), ...page.users]);
        setNext(page.next);
      } catch (error) {
        setFailure(failureOf(error).detail);
      }
    },
    [exchange],
  );
  useEffect(() => void load(), [load]);
  const change = async (user: User, update: UpdateUser) => {
    try {
      await exchange("PATCH", `/admin/users/${user.id}`, { json: update });
      const changed = (one: User) => (one.id === user.id ? ({ ...one, ...update } as User) : one);
      setUsers((before) => before?.map(changed) ?? null);
    } catch (error) {
      toast({ text: failureOf(error).detail, tone: "danger" });
    }
  };
  const words = wanted.trim().toLowerCase();
  const shown = users?.filter((user) => `${user.name} ${user.email}`.toLowerCase().includes(words));
  return (
    <section className="card account-card" aria-label="People">
      <h2>People</h2>
      <span className="input">
        <input
          type="search"
          aria-label="Search people"
          placeholder="Search by name or e-mail"
          value={wanted}
          onChange={(event) => setWanted(event.target.value)}
        />
      </span>
      {failure ? (
        <p className="danger" role="alert">
          {failure}{" "}
          <button type="button" className="btn btn-sm" onClick={() => void load()}>
            Try again
          </button>
        </p>
      ) : null}
      <ul className="devices" aria-busy={!users}>
        {shown?.map((user) => (
          <Person
            key={user.id}
            user={user}
            own={user.id === account.id}
            exchange={exchange}
            onChange={(update) => void change(user, update)}
          />
        ))}
        {users || failure ? null : <li className="faint">Loading …</li>}
        {shown?.length === 0 ? <li className="faint">Nobody fits “{wanted}”.</li> : null}
      </ul>
      {next ? (
        <div>
          <button type="button" className="btn" onClick={() => void load(next)}>
            Show more
          </button>
        </div>
      ) : null}
    </section>
  );
}

interface PersonProps {
  user: User;
  own: boolean;
  exchange: Exchange;
  onChange: (update: UpdateUser) => void;
}

function Person({ user, own, exchange, onChange }: PersonProps) {
  const host = useHost();
  const [secret, setSecret] = useState<string | null>(null);
  const [failure, setFailure] = useState("");
  const reset = async () => {
    const password = oneTimePassword(host.randomBytes);
    setFailure("");
    try {
      await exchange("POST", `/admin/users/${user.id}/password-reset`, { json: { password } });
      setSecret(password);
    } catch (error) {
      setFailure(failureOf(error).detail);
    }
  };
  const many = user.workspaces === 1 ? "1 workspace" : `${user.workspaces} workspaces`;
  return (
    <li className="person" aria-label={user.name}>
      <span className="grow">
        <span className="medium">{user.name}</span>{" "}
        <span className="small muted">
          {user.email} · {many}
          {user.administrator ? " · administrator" : ""}
          {user.disabled ? " · disabled" : ""}
        </span>
      </span>
      {own ? (
        <span className="small muted">you</span>
      ) : (
        <span className="row gap2">
          <button
            type="button"
            className="btn btn-sm"
            onClick={() => onChange({ disabled: !user.disabled })}
          >
            {user.disabled ? "Enable" : "Disable"}
          </button>
          <button type="button" className="btn btn-sm" onClick={() => void reset()}>
            Reset password
          </button>
        </span>
      )}
      {failure ? (
        <p className="danger small" role="alert">
          {failure}
        </p>
      ) : null}
      {secret ? (
        <p className="person-secret" role="status">
          The new password of {user.name}, shown once: <code>{secret}</code>{" "}
          <button
            type="button"
            className="btn btn-sm"
            onClick={() => void host.clipboard.write(secret)}
          >
            Copy
          </button>
        </p>
      ) : null}
    </li>
  );
}
