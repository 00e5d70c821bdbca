/** The own account: name, password, devices, and its end. */
import { type FormEvent, type ReactNode, useEffect, useRef, useState } from "react";
import type { Account } from "../../host/generated/api/Account";
import { type Failure, failureOf } from "../../host/ide";
import { useHost } from "../../host/useHost";
import { BusyButton } from "../../ui/BusyButton";
import { Card } from "../../ui/Card";
import { Field, PasswordField } from "../../ui/Field";
import { Icon } from "../../ui/Icon";
import { usePopups } from "../../ui/popups";
import { SettingsPage } from "../../ui/SettingsPage";
import { Devices } from "./Devices";
import { StrengthBars } from "./StrengthBars";

interface Props {
  account: Account;
  onAccount: (account: Account) => void;
  onSignedOut: () => void;
}

const PARTS = [
  { id: "profile", label: "Profile", icon: "user" },
  { id: "password", label: "Password", icon: "key" },
  { id: "devices", label: "Devices", icon: "monitor" },
  { id: "end", label: "Delete account", icon: "trash" },
];

export function AccountPage(props: Props) {
  return (
    <SettingsPage title="Account" parts={PARTS}>
      <Profile {...props} />
      <Password account={props.account} />
      <Devices />
      <End {...props} />
    </SettingsPage>
  );
}

/** A form that shows its own failure and keeps what was typed. */
function Form({
  action,
  danger,
  disabled,
  failure,
  children,
  onSubmit,
}: {
  action: string;
  danger?: boolean;
  disabled?: boolean;
  failure: Failure | null;
  children: ReactNode;
  onSubmit: () => Promise<void>;
}) {
  const [busy, setBusy] = useState(false);
  const form = useRef<HTMLFormElement>(null);
  // A refused field is where the person goes on, and its problem is read with it.
  useEffect(() => {
    if (failure?.fields) form.current?.querySelector<HTMLElement>("[aria-invalid=true]")?.focus();
  }, [failure]);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    await onSubmit();
    setBusy(false);
  };
  return (
    <form ref={form} className="set-form" onSubmit={submit}>
      {failure && !failure.fields ? (
        <div className="banner danger" role="alert">
          <Icon name="error" />
          <div>{failure.detail}</div>
        </div>
      ) : null}
      {children}
      <div>
        <BusyButton
          type="submit"
          className={`btn btn-lg ${danger ? "btn-danger" : "btn-primary"}`}
          busy={busy}
          disabled={disabled}
        >
          {action}
        </BusyButton>
      </div>
    </form>
  );
}

function useTry() {
  const [failure, setFailure] = useState<Failure | null>(null);
  const attempt = async (what: () => Promise<void>) => {
    setFailure(null);
    try {
      await what();
    } catch (error) {
      setFailure(failureOf(error));
    }
  };
  return { failure, attempt };
}

function Profile({ account, onAccount }: Props) {
  const { exchange } = useHost();
  const { toast } = usePopups();
  const { failure, attempt } = useTry();
  const [name, setName] = useState(account.name);
  const save = () =>
    attempt(async () => {
      const answer = await exchange("PATCH", "/account", { json: { name: name.trim() } });
      onAccount((await answer.json()) as Account);
      toast({ text: "Your name is saved.", tone: "ok" });
    });
  const role = account.administrator ? " · administrator of this server" : "";
  return (
    <Card id="profile" title="Profile" text={`${account.email}${role}`}>
      <Form
        action="Save name"
        failure={failure}
        disabled={name.trim() === "" || name.trim() === account.name}
        onSubmit={save}
      >
        <Field
          label="Name"
          autoComplete="name"
          required
          hint="Others see it beside what you do."
          value={name}
          problem={failure?.fields?.name}
          onChange={setName}
        />
      </Form>
    </Card>
  );
}

function Password({ account }: { account: Account }) {
  const { exchange } = useHost();
  const { toast } = usePopups();
  const { failure, attempt } = useTry();
  const [typed, setTyped] = useState({ current: "", fresh: "" });
  const change = () =>
    attempt(async () => {
      await exchange("PUT", "/account/password", {
        json: { current: typed.current, new: typed.fresh },
      });
      setTyped({ current: "", fresh: "" });
      toast({ text: "The password is changed; all other devices are signed out.", tone: "ok" });
    });
  return (
    <Card id="password" title="Password" text="Changing it signs out all other devices.">
      <Form
        action="Change password"
        failure={failure}
        disabled={typed.current === "" || typed.fresh === ""}
        onSubmit={change}
      >
        <PasswordField
          label="Current password"
          autoComplete="current-password"
          value={typed.current}
          problem={failure?.fields?.current}
          onChange={(current) => setTyped((before) => ({ ...before, current }))}
        />
        <PasswordField
          label="New password"
          autoComplete="new-password"
          hint={<StrengthBars password={typed.fresh} own={[account.name, account.email]} />}
          value={typed.fresh}
          problem={failure?.fields?.new}
          onChange={(fresh) => setTyped((before) => ({ ...before, fresh }))}
        />
      </Form>
    </Card>
  );
}

function End({ account, onSignedOut }: Props) {
  const { exchange } = useHost();
  const { failure, attempt } = useTry();
  const [typed, setTyped] = useState({ email: "", password: "" });
  const end = () =>
    attempt(async () => {
      await exchange("DELETE", "/account", { json: { password: typed.password } });
      onSignedOut();
    });
  const sure = typed.email.trim().toLowerCase() === account.email.toLowerCase();
  return (
    <Card
      id="end"
      title="Delete account"
      text="All workspaces, their files and their history are deleted at once and cannot be brought back."
    >
      <Form
        action="Delete account and all workspaces"
        danger
        disabled={!sure || typed.password === ""}
        failure={failure}
        onSubmit={end}
      >
        <Field
          label={`Type ${account.email} to confirm`}
          autoComplete="off"
          spellCheck={false}
          value={typed.email}
          onChange={(email) => setTyped((before) => ({ ...before, email }))}
        />
        <PasswordField
          label="Password"
          autoComplete="current-password"
          value={typed.password}
          problem={failure?.fields?.password}
          onChange={(password) => setTyped((before) => ({ ...before, password }))}
        />
      </Form>
    </Card>
  );
}
