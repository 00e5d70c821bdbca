/** The own account: name, password, devices, and its end. */
import { type FormEvent, type ReactNode, useCallback, useEffect, useState } from "react";
import type { Account } from "../../host/generated/api/Account";
import type { Device } from "../../host/generated/api/Device";
import { type Exchange, failureOf } from "../../host/ide";

interface Props {
  exchange: Exchange;
  account: Account;
  onAccount: (account: Account) => void;
  onSignedOut: () => void;
  toast: (message: { text: string; tone?: "ok" | "warn" | "danger" }) => void;
}

export function AccountPage(props: Props) {
  return (
    <div className="account">
      <h1>Account</h1>
      <Profile {...props} />
      <Password {...props} />
      <Devices {...props} />
      <End {...props} />
    </div>
  );
}

/** A form that shows its own failure and keeps what was typed. */
function Form({
  title,
  action,
  danger,
  children,
  onSubmit,
}: {
  title: string;
  action: string;
  danger?: boolean;
  children: ReactNode;
  onSubmit: (form: FormData) => Promise<void>;
}) {
  const [failure, setFailure] = useState("");
  const [busy, setBusy] = useState(false);
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = event.currentTarget;
    setBusy(true);
    setFailure("");
    try {
      await onSubmit(new FormData(form));
    } catch (error) {
      setFailure(failureOf(error).detail);
    }
    setBusy(false);
  };
  return (
    <form className="card account-card" onSubmit={submit} aria-label={title}>
      <h2>{title}</h2>
      {children}
      {failure ? (
        <p className="danger small" role="alert">
          {failure}
        </p>
      ) : null}
      <div>
        <button
          type="submit"
          className={`btn btn-lg ${danger ? "btn-danger" : "btn-primary"}`}
          disabled={busy}
        >
          {action}
        </button>
      </div>
    </form>
  );
}

function Field({
  label,
  name,
  type = "text",
  value,
  autoComplete,
}: {
  label: string;
  name: string;
  type?: string;
  value?: string;
  autoComplete?: string;
}) {
  return (
    <label className="field">
      <span className="label">{label}</span>
      <span className="input">
        <input name={name} type={type} required defaultValue={value} autoComplete={autoComplete} />
      </span>
    </label>
  );
}

function Profile({ exchange, account, onAccount, toast }: Props) {
  return (
    <Form
      title="Profile"
      action="Save name"
      onSubmit={async (form) => {
        const answer = await exchange("PATCH", "/account", {
          json: { name: String(form.get("name")) },
        });
        onAccount((await answer.json()) as Account);
        toast({ text: "Your name is saved.", tone: "ok" });
      }}
    >
      <Field label="Name" name="name" value={account.name} autoComplete="name" />
      <p className="small muted">
        {account.email}
        {account.administrator ? " · administrator" : ""}
      </p>
    </Form>
  );
}

function Password({ exchange, toast }: Props) {
  return (
    <Form
      title="Password"
      action="Change password"
      onSubmit={async (form) => {
        await exchange("PUT", "/account/password", {
          json: { current: String(form.get("current")), new: String(form.get("new")) },
        });
        toast({ text: "The password is changed; all other devices are signed out.", tone: "ok" });
      }}
    >
      <Field label="Password now" name="current" type="password" autoComplete="current-password" />
      <Field label="New password" name="new" type="password" autoComplete="new-password" />
    </Form>
  );
}

function Devices({ exchange }: Props) {
  const [devices, setDevices] = useState<Device[] | null>(null);
  const [failure, setFailure] = useState("");
  const load = useCallback(async () => {
    try {
      setDevices((await (await exchange("GET", "/account/devices")).json()) as Device[]);
    } catch (error) {
      setFailure(failureOf(error).detail);
    }
  }, [exchange]);
  useEffect(() => void load(), [load]);
  const revoke = async (device: Device) => {
    await exchange("DELETE", `/account/devices/${device.id}`).catch((error) =>
      setFailure(failureOf(error).detail),
    );
    await load();
  };
  return (
    <section className="card account-card" aria-label="Devices">
      <h2>Devices</h2>
      {failure ? (
        <p className="danger" role="alert">
          {failure}
        </p>
      ) : null}
      <ul className="devices">
        {devices?.map((device) => (
          <li key={device.id}>
            <span className="grow">
              <span className="medium">{device.name}</span>
              <span className="small faint">
                {" "}
                last used {new Date(device.last_used_at).toLocaleString()}
              </span>
            </span>
            {device.current ? (
              <span className="small muted">this device</span>
            ) : (
              <button type="button" className="btn btn-sm" onClick={() => void revoke(device)}>
                Sign out
              </button>
            )}
          </li>
        )) ?? <li className="faint">Loading …</li>}
      </ul>
    </section>
  );
}

function End({ exchange, onSignedOut }: Props) {
  return (
    <Form
      title="Delete account"
      action="Delete account and all workspaces"
      danger
      onSubmit={async (form) => {
        await exchange("DELETE", "/account", { json: { password: String(form.get("password")) } });
        onSignedOut();
      }}
    >
      <p className="muted">
        Everything of this account is deleted at once and cannot be brought back.
      </p>
      <Field
        label="Password, to be sure"
        name="password"
        type="password"
        autoComplete="current-password"
      />
    </Form>
  );
}
