/** The way in: sign in or register, choose or make a workspace, and the IDE of the one that is open. */
import { type FormEvent, lazy, Suspense, useCallback, useEffect, useState } from "react";
import { webExchange } from "../host/exchange";
import type { Account } from "../host/generated/api/Account";
import type { ServerInfo } from "../host/generated/api/ServerInfo";
import type { Template } from "../host/generated/api/Template";
import type { Workspace } from "../host/generated/api/Workspace";
import type { Workspaces } from "../host/generated/api/Workspaces";
import { failureOf } from "../host/ide";
import { pageWorld, Socket, socketUrl } from "../host/socket";
import { Icon } from "../ui/Icon";
import "./start.css";

const Ide = lazy(() => import("./Ide").then((module) => ({ default: module.Ide })));
const socket = new Socket(pageWorld(socketUrl()));

async function ask<T>(method: string, path: string, json?: unknown): Promise<T> {
  const answer = await webExchange(method, path, json === undefined ? {} : { json });
  return (answer.status === 204 ? null : await answer.json()) as T;
}

function openWorkspace(): string | null {
  return /^\/workspaces\/([0-9a-f-]{36})$/.exec(location.pathname)?.[1] ?? null;
}

export function Start() {
  const [account, setAccount] = useState<Account | null | "asking">("asking");
  const [workspace, setWorkspace] = useState(openWorkspace);
  useEffect(() => {
    ask<Account>("GET", "/account").then(setAccount, () => setAccount(null));
    const moved = () => setWorkspace(openWorkspace());
    addEventListener("popstate", moved);
    return () => removeEventListener("popstate", moved);
  }, []);
  useEffect(() => {
    if (account && account !== "asking") socket.start();
    else socket.stop();
  }, [account]);
  const go = useCallback((id: string | null) => {
    history.pushState(null, "", id ? `/workspaces/${id}` : "/");
    setWorkspace(id);
  }, []);
  if (account === "asking")
    return <div className="start-wait" role="status" aria-label="Loading" />;
  if (!account) return <SignIn onSignedIn={setAccount} />;
  const leave = () => void ask("POST", "/sign-out").finally(() => setAccount(null));
  if (workspace) return <Open id={workspace} account={account} go={go} />;
  return <List account={account} go={go} leave={leave} />;
}

function Open({
  id,
  account,
  go,
}: {
  id: string;
  account: Account;
  go: (id: string | null) => void;
}) {
  const [name, setName] = useState("");
  useEffect(() => {
    ask<Workspace>("GET", `/workspaces/${id}`).then(
      (found) => {
        setName(found.name);
        document.title = `${found.name} – Slipway`;
      },
      (error: unknown) => {
        if (failureOf(error).code === "not_found") go(null);
      },
    );
  }, [id, go]);
  return (
    <Suspense fallback={<div className="start-wait" role="status" aria-label="Loading" />}>
      <Ide
        exchange={webExchange}
        socket={socket}
        workspace={id}
        start={
          <>
            <span className="brand" title="Slipway">
              <Icon name="mark" />
            </span>
            <button type="button" className="switcher btn-reset" onClick={() => go(null)}>
              {name || "Workspace"}
              <Icon name="chevrons-up-down" />
            </button>
          </>
        }
        middle={null}
        end={<span className="avatar">{account.name.slice(0, 2).toUpperCase()}</span>}
      />
    </Suspense>
  );
}

function SignIn({ onSignedIn }: { onSignedIn: (account: Account) => void }) {
  const [server, setServer] = useState<ServerInfo | null>(null);
  const [registering, setRegistering] = useState(false);
  const [problem, setProblem] = useState("");
  const [busy, setBusy] = useState(false);
  useEffect(() => {
    ask<ServerInfo>("GET", "/server").then(
      (info) => {
        setServer(info);
        setRegistering(info.first_account);
      },
      (error: unknown) => setProblem(failureOf(error).detail),
    );
  }, []);
  const send = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const fields = Object.fromEntries(new FormData(event.currentTarget));
    setBusy(true);
    setProblem("");
    try {
      const path = registering ? "/accounts" : "/sign-in";
      const { account } = await ask<{ account: Account }>("POST", path, fields);
      onSignedIn(account);
    } catch (error) {
      setProblem(failureOf(error).detail);
      setBusy(false);
    }
  };
  return (
    <main className="start-page">
      <form className="card start-card" onSubmit={(event) => void send(event)}>
        <span className="accent">
          <Icon name="mark" className="icon-lg" />
        </span>
        <h1 className="start-title">{registering ? "Create an account" : "Sign in to Slipway"}</h1>
        {server?.first_account ? (
          <p className="muted small">The first account becomes the administrator.</p>
        ) : null}
        {problem ? (
          <div className="banner danger" role="alert">
            <Icon name="error" />
            <span>{problem}</span>
          </div>
        ) : null}
        {registering ? <Field name="name" label="Name" type="text" complete="name" /> : null}
        <Field name="email" label="E-mail" type="email" complete="username" />
        <Field
          name="password"
          label="Password"
          type="password"
          complete={registering ? "new-password" : "current-password"}
        />
        <button type="submit" className="btn btn-primary btn-lg" disabled={busy}>
          {registering ? "Create account" : "Sign in"}
        </button>
        {server?.registration_open ? (
          <button
            type="button"
            className="btn btn-ghost"
            onClick={() => setRegistering(!registering)}
          >
            {registering ? "I have an account" : "Create an account"}
          </button>
        ) : null}
      </form>
    </main>
  );
}

function Field(props: { name: string; label: string; type: string; complete: string }) {
  return (
    <label className="field">
      <span className="label">{props.label}</span>
      <span className="input">
        <input name={props.name} type={props.type} autoComplete={props.complete} required />
      </span>
    </label>
  );
}

const TEMPLATES: readonly [Template, string, string][] = [
  ["python", "Python data", "pandas and a small data set"],
  ["node", "Node", "a package.json that runs"],
  ["empty", "Empty", "nothing yet"],
];

function List({
  account,
  go,
  leave,
}: {
  account: Account;
  go: (id: string | null) => void;
  leave: () => void;
}) {
  const [list, setList] = useState<readonly Workspace[] | null>(null);
  const [problem, setProblem] = useState("");
  const [name, setName] = useState("");
  useEffect(() => {
    document.title = "Workspaces – Slipway";
    ask<Workspaces>("GET", "/workspaces").then(
      (page) => setList(page.workspaces),
      (error: unknown) => setProblem(failureOf(error).detail),
    );
  }, []);
  const make = async (template: Template) => {
    try {
      const wanted = name.trim() || `${template}-${(list?.length ?? 0) + 1}`;
      const made = await ask<Workspace>("POST", "/workspaces", { name: wanted, template });
      go(made.id);
    } catch (error) {
      setProblem(failureOf(error).detail);
    }
  };
  return (
    <main className="start-list">
      <header className="row gap4">
        <h1 className="start-title">Workspaces</h1>
        <span className="push muted">{account.name}</span>
        <button type="button" className="btn btn-ghost" onClick={leave}>
          Sign out
        </button>
      </header>
      {problem ? (
        <div className="banner danger" role="alert">
          <Icon name="error" />
          <span>{problem}</span>
        </div>
      ) : null}
      <section className="start-new" aria-label="New workspace">
        <label className="field">
          <span className="label">Name of a new workspace</span>
          <span className="input">
            <input value={name} maxLength={80} onChange={(event) => setName(event.target.value)} />
          </span>
        </label>
        <div className="row gap3">
          {TEMPLATES.map(([template, word, note]) => (
            <button
              key={template}
              type="button"
              className="btn btn-lg"
              title={note}
              onClick={() => void make(template)}
            >
              <Icon name="plus" /> {word}
            </button>
          ))}
        </div>
      </section>
      {list === null && !problem ? <span className="skeleton" /> : null}
      {list?.length === 0 ? <p className="muted">No workspaces yet. Make one above.</p> : null}
      <ul className="start-rows">
        {list?.map((one) => (
          <li key={one.id}>
            <button type="button" className="start-row btn-reset" onClick={() => go(one.id)}>
              <Icon name="folder" />
              <span className="medium truncate">{one.name}</span>
              <span className="faint num push">{one.entries} entries</span>
              <span className="faint num">{new Date(one.changed_at).toLocaleString()}</span>
            </button>
          </li>
        ))}
      </ul>
    </main>
  );
}
