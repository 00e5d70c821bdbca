/** Sign in or register: problems stand at their field, those of no single field on top, and nothing typed is lost. */
import { type FormEvent, type ReactNode, useCallback, useEffect, useRef, useState } from "react";
import type { Account } from "../../host/generated/api/Account";
import type { ServerInfo } from "../../host/generated/api/ServerInfo";
import type { SignedIn } from "../../host/generated/api/SignedIn";
import { PASSWORD_CHARS_MIN } from "../../host/generated/limits";
import { type Failure, failureOf, isOffline } from "../../host/ide";
import { useHost } from "../../host/useHost";
import { BusyButton } from "../../ui/BusyButton";
import { Field, PasswordField } from "../../ui/Field";
import { Icon } from "../../ui/Icon";
import { StrengthBars } from "./StrengthBars";

type Way = "sign-in" | "register";
type Name = "name" | "email" | "password";
type Problems = Partial<Record<Name, string>>;

/** What to do at a field, where the server's words stand on top because they are of more than one. */
const ADVICE: Record<string, Problems> = {
  wrong_credentials: { password: "Type it again, or show it with the eye." },
};
/** How often a server that does not answer is asked again. */
const AGAIN_MS = 5_000;

/** What the desktop program adds: the choice of a server, and of where the sign-in is kept. */
export interface Additions {
  top: ReactNode;
  end: ReactNode;
  headers: Record<string, string>;
  /** What helps is among the additions. */
  refused(failure: Failure): void;
}

interface Props {
  onSignedIn: (account: Account) => void;
  additions?: Additions;
}

export function SignInPage({ onSignedIn, additions }: Props) {
  const { exchange } = useHost();
  const { server, silent, again } = useServer();
  const [chosen, setChosen] = useState<Way | null>(null);
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<Failure | null>(null);
  const [problems, setProblems] = useState<Problems>({});
  const [typed, setTyped] = useState({ name: "", email: "", password: "" });
  const summary = useRef<HTMLDivElement>(null);
  const form = useRef<HTMLFormElement>(null);
  const way = chosen ?? (server?.first_account ? "register" : "sign-in");
  const closed = way === "register" && server !== null && !server.registration_open;

  useEffect(() => {
    document.title = `${way === "register" ? "Register" : "Sign in"} – Slipway`;
  }, [way]);
  // The first field that is empty is where the person goes on, unless they type already when the server answers.
  useEffect(() => {
    const typing = document.activeElement instanceof HTMLInputElement;
    if ((server || silent) && !typing) firstEmpty(form.current, way)?.focus();
  }, [way, server, silent]);
  useEffect(() => {
    if (failure?.fields) form.current?.querySelector<HTMLElement>("[aria-invalid=true]")?.focus();
    else if (failure) summary.current?.focus();
  }, [failure]);

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const wrong = problemsOf(typed, way);
    setProblems(wrong);
    setFailure(null);
    const first = (["name", "email", "password"] as const).find((name) => wrong[name]);
    if (first) return void form.current?.querySelector<HTMLElement>(`[name=${first}]`)?.focus();
    setBusy(true);
    const { name, email, password } = typed;
    const json = way === "register" ? { name: name.trim(), email, password } : { email, password };
    try {
      const path = way === "register" ? "/accounts" : "/sign-in";
      const { headers = {} } = additions ?? {};
      const answer = await exchange("POST", path, { json, headers });
      onSignedIn(((await answer.json()) as SignedIn).account);
    } catch (error) {
      const refused = failureOf(error);
      additions?.refused(refused);
      setProblems({ ...ADVICE[refused.code], ...refused.fields });
      setFailure(refused);
      setBusy(false);
    }
  };
  const field = (name: Name) => ({
    name,
    value: typed[name],
    problem: problems[name],
    onChange: (value: string) => {
      setTyped((before) => ({ ...before, [name]: value }));
      setProblems((before) => ({ ...before, [name]: undefined }));
    },
  });
  const choose = (one: Way) => {
    setChosen(one);
    setFailure(null);
    setProblems({});
  };
  return (
    <main className="signin">
      <div className="signin-head">
        <Icon name="mark" className="accent signin-mark" />
        <h1>Slipway</h1>
      </div>
      <form
        ref={form}
        className="card signin-form"
        onSubmit={submit}
        noValidate
        aria-label={way === "register" ? "Register" : "Sign in"}
      >
        <Ways way={way} onChoose={choose} />
        {additions?.top}
        {silent ? <Silent onRetry={again} /> : null}
        {failure && !failure.fields && !(silent && isOffline(failure)) ? (
          <div className="banner danger" role="alert" tabIndex={-1} ref={summary}>
            <Icon name="error" />
            <div>
              <div className="medium">{failure.detail}</div>
              {failure.retryAfter ? (
                <div className="small muted">Try again in {inWords(failure.retryAfter)}.</div>
              ) : null}
            </div>
          </div>
        ) : null}
        {server?.first_account && way === "register" ? (
          <p className="small muted">
            This server has no account yet. The first one becomes its administrator.
          </p>
        ) : null}
        {closed ? (
          <Closed onSignIn={() => choose("sign-in")} />
        ) : (
          <>
            {way === "register" ? (
              <Field label="Name" autoComplete="name" required {...field("name")} />
            ) : null}
            <Field
              label="E-mail"
              type="email"
              autoComplete="username"
              required
              spellCheck={false}
              {...field("email")}
            />
            <PasswordField
              label="Password"
              required
              autoComplete={way === "register" ? "new-password" : "current-password"}
              hint={
                way === "register" ? (
                  <StrengthBars password={typed.password} own={[typed.name, typed.email]} />
                ) : undefined
              }
              {...field("password")}
            />
            <BusyButton type="submit" className="btn btn-primary btn-lg" busy={busy}>
              {way === "register"
                ? busy
                  ? "Registering"
                  : "Register"
                : busy
                  ? "Signing in"
                  : "Sign in"}
            </BusyButton>
          </>
        )}
        {additions?.end}
      </form>
      <Version server={server} silent={silent} />
    </main>
  );
}

/** What the server says of itself; asked again for as long as it is silent. */
function useServer() {
  const { exchange, after } = useHost();
  const [server, setServer] = useState<ServerInfo | null>(null);
  const [tries, setTries] = useState(0);
  const [silent, setSilent] = useState(false);
  const again = useCallback(() => setTries((before) => before + 1), []);
  // biome-ignore lint/correctness/useExhaustiveDependencies: every try asks anew
  useEffect(() => {
    let cancel = () => {};
    exchange("GET", "/server")
      .then(async (answer) => {
        setServer((await answer.json()) as ServerInfo);
        setSilent(false);
      })
      .catch(() => {
        setSilent(true);
        cancel = after(AGAIN_MS, again);
      });
    return () => cancel();
  }, [exchange, after, again, tries]);
  return { server, silent, again };
}

/** What can be told without asking the server. */
function problemsOf(typed: Record<Name, string>, way: Way): Problems {
  const email = typed.email.trim();
  const problems: Problems = {};
  if (way === "register" && typed.name.trim() === "") problems.name = "Give the name others see.";
  if (email === "") problems.email = "Give your e-mail address.";
  else if (!/^\S+@\S+$/.test(email)) problems.email = "An address has an @ in its middle.";
  if (typed.password === "") problems.password = "Give your password.";
  else if (way === "register" && [...typed.password].length < PASSWORD_CHARS_MIN)
    problems.password = `Use at least ${PASSWORD_CHARS_MIN} characters.`;
  return problems;
}

function firstEmpty(form: HTMLFormElement | null, way: Way): HTMLInputElement | null {
  const fields = [...(form?.querySelectorAll("input") ?? [])];
  return (
    fields.find((field) => field.value === "") ??
    (way === "sign-in" ? fields.at(-1) : fields[0]) ??
    null
  );
}

function inWords(seconds: number): string {
  if (seconds < 90) return `${seconds} seconds`;
  return `${Math.ceil(seconds / 60)} minutes`;
}

function Ways({ way, onChoose }: { way: Way; onChoose: (way: Way) => void }) {
  return (
    <fieldset className="segmented signin-ways" aria-label="New here or not">
      {(["sign-in", "register"] as const).map((one) => (
        <button
          key={one}
          type="button"
          aria-pressed={way === one}
          className={way === one ? "is-selected" : ""}
          onClick={() => onChoose(one)}
        >
          {one === "register" ? "New account" : "I have an account"}
        </button>
      ))}
    </fieldset>
  );
}

function Silent({ onRetry }: { onRetry: () => void }) {
  return (
    <Note icon="cloud-off" tone="warn" title="The server does not answer">
      <div className="small muted">What you type stays. This page tries again by itself.</div>
      <button type="button" className="btn btn-sm" onClick={onRetry}>
        Try now
      </button>
    </Note>
  );
}

function Closed({ onSignIn }: { onSignIn: () => void }) {
  return (
    <div className="empty signin-closed">
      <Icon name="lock" />
      <h2>Registration is closed</h2>
      <p className="small">
        The administrator of this server has closed registration. Ask them for an account.
      </p>
      <div className="actions">
        <button type="button" className="btn" onClick={onSignIn}>
          I have an account
        </button>
      </div>
    </div>
  );
}

function Note({
  icon,
  tone,
  title,
  children,
}: {
  icon: string;
  tone: string;
  title: string;
  children: ReactNode;
}) {
  return (
    <div className={`banner ${tone}`} role="status">
      <Icon name={icon} />
      <div className="signin-note">
        <div className="medium">{title}</div>
        {children}
      </div>
    </div>
  );
}

function Version({ server, silent }: { server: ServerInfo | null; silent: boolean }) {
  const { address } = useHost();
  return (
    <p className="small faint signin-server">
      {server && !silent ? (
        <>
          <Icon name="check" className="ok icon-sm" /> {address} · version {server.version}
        </>
      ) : silent ? (
        <>
          <Icon name="cloud-off" className="warn icon-sm" /> {address}
        </>
      ) : (
        `Asking ${address} …`
      )}
    </p>
  );
}
