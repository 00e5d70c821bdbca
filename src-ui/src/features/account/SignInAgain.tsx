/** The sign-in has ended in mid-work: the same account signs in where it is, and everything goes on. */
import { type FormEvent, useState } from "react";
import { Dialog, Heading, Modal, ModalOverlay } from "react-aria-components";
import type { Account } from "../../host/generated/api/Account";
import { type Exchange, failureOf } from "../../host/ide";
import { BusyButton } from "../../ui/BusyButton";
import { PasswordField } from "../../ui/Field";
import { Icon } from "../../ui/Icon";

interface Props {
  exchange: Exchange;
  account: Account;
  onSignedIn: () => void;
  onLeave: () => void;
}

export function SignInAgain({ exchange, account, onSignedIn, onLeave }: Props) {
  const [password, setPassword] = useState("");
  const [problem, setProblem] = useState("");
  const [busy, setBusy] = useState(false);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setProblem("");
    try {
      await exchange("POST", "/sign-in", { json: { email: account.email, password } });
      onSignedIn();
    } catch (error) {
      setProblem(failureOf(error).detail);
      setBusy(false);
    }
  };
  return (
    // Closing it would leave everything waiting; there are two ways on, and both are buttons.
    <ModalOverlay isOpen isKeyboardDismissDisabled className="popup-scrim">
      <Modal className="popup-modal">
        <Dialog className="dialog popup-dialog">
          <form onSubmit={submit}>
            <header>
              <Heading slot="title" level={2}>
                Sign in again
              </Heading>
            </header>
            <div className="body popup-body">
              <p>
                The sign-in of {account.email} has ended. What you typed is kept and will be saved.
              </p>
              {problem ? (
                <div className="banner danger" role="alert">
                  <Icon name="error" />
                  <div>{problem}</div>
                </div>
              ) : null}
              <PasswordField
                label="Password"
                required
                autoFocus
                autoComplete="current-password"
                value={password}
                problem={problem ? "Type it again, or show it with the eye." : undefined}
                onChange={(value) => {
                  setPassword(value);
                  setProblem("");
                }}
              />
            </div>
            <footer>
              <button type="button" className="btn btn-ghost btn-lg" onClick={onLeave}>
                Use another account
              </button>
              <BusyButton type="submit" className="btn btn-primary btn-lg" busy={busy}>
                Sign in
              </BusyButton>
            </footer>
          </form>
        </Dialog>
      </Modal>
    </ModalOverlay>
  );
}
