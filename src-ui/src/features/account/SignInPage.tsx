/** Sign in or register: one form, errors at their field, nothing typed is lost. */
import { type FormEvent, type KeyboardEvent, useEffect, useRef, useState } from "react";
import type { Account } from "../../host/generated/api/Account";
import type { ServerInfo } from "../../host/generated/api/ServerInfo";
import type { SignedIn } from "../../host/generated/api/SignedIn";
import { failureOf } from "../../host/ide";
import { useHost } from "../../host/useHost";
import { Icon } from "../../ui/Icon";

type Way = "sign-in" | "register";

/** Which field a code belongs to. */
const FIELD: Record<string, string> = { email_taken: "email", weak_password: "password" };

export function SignInPage({ onSignedIn }: { onSignedIn: (account: Account) => void }) {
  const { exchange } = useHost();
  const [server, setServer] = useState<ServerInfo | null>(null);
  const [way, setWay] = useState<Way>("sign-in");
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<{ code: string; detail: string } | null>(null);
  const [typed, setTyped] = useState({ name: "", email: "", password: "" });
  const summary = useRef<HTMLDivElement>(null);

  useEffect(() => {
    document.title = "Sign in – Slipway";
    exchange("GET", "/server")
      .then((answer) => answer.json())
      .then((info: ServerInfo) => {
        setServer(info);
        if (info.first_account) setWay("register");
      })
      .catch((error) => setFailure(failureOf(error)));
  }, [exchange]);
  useEffect(() => {
    if (failure) summary.current?.focus();
  }, [failure]);

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setFailure(null);
    const body = way === "register" ? typed : { email: typed.email, password: typed.password };
    try {
      const path = way === "register" ? "/accounts" : "/sign-in";
      const answer = (await (await exchange("POST", path, { json: body })).json()) as SignedIn;
      onSignedIn(answer.account);
    } catch (error) {
      setFailure(failureOf(error));
      setBusy(false);
    }
  };
  const closed = way === "register" && server !== null && !server.registration_open;
  const wrong = failure ? FIELD[failure.code] : undefined;
  const field = (name: "name" | "email" | "password") => ({
    value: typed[name],
    invalid: wrong === name,
    onChange: (value: string) => setTyped((before) => ({ ...before, [name]: value })),
  });
  return (
    <main className="signin">
      <div className="signin-head">
        <Icon name="mark" className="accent signin-mark" />
        <h1>Slipway</h1>
      </div>
      <form
        className="card signin-form"
        onSubmit={submit}
        aria-label={way === "register" ? "Register" : "Sign in"}
      >
        <div className="segmented signin-ways">
          {(["sign-in", "register"] as const).map((one) => (
            <button
              key={one}
              type="button"
              aria-pressed={way === one}
              className={way === one ? "is-selected" : ""}
              onClick={() => {
                setWay(one);
                setFailure(null);
              }}
            >
              {one === "register" ? "New account" : "I have an account"}
            </button>
          ))}
        </div>
        {failure ? (
          <div className="banner danger" role="alert" tabIndex={-1} ref={summary}>
            <Icon name="error" />
            <div className="medium">{failure.detail}</div>
          </div>
        ) : null}
        {server?.first_account && way === "register" ? (
          <p className="small muted">
            This server has no account yet. The first one becomes its administrator.
          </p>
        ) : null}
        {closed ? (
          <p className="muted">This server takes no new accounts. Ask its administrator.</p>
        ) : (
          <>
            {way === "register" ? (
              <TextField label="Name" autoComplete="name" {...field("name")} />
            ) : null}
            <TextField label="E-mail" type="email" autoComplete="username" {...field("email")} />
            <PasswordField fresh={way === "register"} {...field("password")} />
            <button type="submit" className="btn btn-primary btn-lg" disabled={busy}>
              {busy ? "One moment …" : way === "register" ? "Register" : "Sign in"}
            </button>
          </>
        )}
      </form>
      <p className="small faint">
        {server ? `Server version ${server.version}` : "Asking the server …"}
      </p>
    </main>
  );
}

interface FieldProps {
  label?: string;
  type?: string;
  autoComplete?: string;
  value: string;
  invalid: boolean;
  onChange: (value: string) => void;
}

function TextField({ label, type = "text", autoComplete, value, invalid, onChange }: FieldProps) {
  return (
    <label className="field">
      <span className="label">{label}</span>
      <span className={`input${invalid ? " is-error" : ""}`}>
        <input
          type={type}
          required
          autoComplete={autoComplete}
          aria-invalid={invalid}
          value={value}
          onChange={(event) => onChange(event.target.value)}
        />
      </span>
    </label>
  );
}

function PasswordField({ fresh, value, invalid, onChange }: FieldProps & { fresh: boolean }) {
  const [shown, setShown] = useState(false);
  const [caps, setCaps] = useState(false);
  const key = (event: KeyboardEvent) => setCaps(event.getModifierState("CapsLock"));
  return (
    <div className="field">
      <label className="label" htmlFor="password">
        Password
      </label>
      <span className={`input${invalid ? " is-error" : ""}`}>
        <input
          id="password"
          type={shown ? "text" : "password"}
          required
          minLength={fresh ? 8 : undefined}
          autoComplete={fresh ? "new-password" : "current-password"}
          aria-invalid={invalid}
          value={value}
          onKeyUp={key}
          onChange={(event) => onChange(event.target.value)}
        />
        <button
          type="button"
          className="btn btn-ghost btn-icon btn-sm"
          aria-label={shown ? "Hide password" : "Show password"}
          onClick={() => setShown(!shown)}
        >
          <Icon name={shown ? "eye-off" : "eye"} />
        </button>
      </span>
      {caps ? <span className="hint">Caps Lock is on</span> : null}
      {fresh ? (
        <span className="hint">At least 8 characters. A few words are easy to remember.</span>
      ) : null}
    </div>
  );
}
