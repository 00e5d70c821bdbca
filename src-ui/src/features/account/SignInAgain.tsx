/** The sign-in has ended in mid-work: the same account signs in where it is, and everything goes on. */
import { type FormEvent, useEffect, useRef, useState } from "react";
import type { Account } from "../../host/generated/api/Account";
import { type Exchange, failureOf } from "../../host/ide";

interface Props {
  exchange: Exchange;
  account: Account;
  onSignedIn: () => void;
  onLeave: () => void;
}

export function SignInAgain({ exchange, account, onSignedIn, onLeave }: Props) {
  const box = useRef<HTMLDialogElement>(null);
  const [password, setPassword] = useState("");
  const [failure, setFailure] = useState("");
  const [busy, setBusy] = useState(false);
  useEffect(() => box.current?.showModal(), []);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setFailure("");
    try {
      await exchange("POST", "/sign-in", { json: { email: account.email, password } });
      onSignedIn();
    } catch (error) {
      setFailure(failureOf(error).detail);
      setBusy(false);
    }
  };
  return (
    <dialog
      ref={box}
      className="dialog"
      aria-labelledby="again-title"
      // Closing it would leave everything waiting; there are two ways on, and both are buttons.
      onCancel={(event) => event.preventDefault()}
    >
      <form className="again" onSubmit={submit}>
        <h2 id="again-title">Sign in again</h2>
        <p className="muted">
          The sign-in of {account.email} has ended. What you typed is kept and will be saved.
        </p>
        {failure ? (
          <p className="danger small" role="alert">
            {failure}
          </p>
        ) : null}
        <label className="field">
          <span className="label">Password</span>
          <span className="input">
            <input
              type="password"
              required
              autoComplete="current-password"
              value={password}
              onChange={(event) => setPassword(event.target.value)}
            />
          </span>
        </label>
        <div className="actions">
          <button type="button" className="btn btn-lg" onClick={onLeave}>
            Use another account
          </button>
          <button type="submit" className="btn btn-primary btn-lg" disabled={busy}>
            {busy ? "One moment …" : "Sign in"}
          </button>
        </div>
      </form>
    </dialog>
  );
}
