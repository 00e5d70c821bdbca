/** The sign-in in the desktop program: which server, and where the sign-in is kept when the system has no keychain. */
import { useId, useState } from "react";
import { Link } from "wouter";
import type { Desktop } from "../../host/generated/api/Desktop";
import type { Keychain } from "../../host/generated/api/Keychain";
import type { TokenKept } from "../../host/generated/api/TokenKept";
import { failureOf } from "../../host/ide";
import { useChooseServer } from "../../host/local";
import { BusyButton } from "../../ui/BusyButton";
import { Field } from "../../ui/Field";
import { Icon } from "../../ui/Icon";
import { SignInPage } from "./SignInPage";

/** Said beside a sign-in: where its token may be kept. */
const KEPT_HEADER = "slipway-token-kept";

type Kept = Exclude<TokenKept, "keychain">;

interface Props {
  program: Desktop;
  /** Where somebody came from, who may not want to sign in after all. */
  from: string | null;
  onSignedIn: () => void;
}

export function DesktopSignIn({ program, from, onSignedIn }: Props) {
  // The system may say so only when it is asked to keep something.
  const [without, setWithout] = useState<Keychain | null>(
    program.keychain === "ready" ? null : program.keychain,
  );
  const [kept, setKept] = useState<Kept>("memory");
  const { address = "", open_to_readers: open = false } = program.server ?? {};
  return (
    <SignInPage
      key={address}
      onSignedIn={onSignedIn}
      additions={{
        top: (
          <>
            <ServerChoice address={address} />
            {open ? (
              <p className="small muted">
                The connection to it is not encrypted: whoever carries it can read password and
                files.
              </p>
            ) : null}
            {without ? <KeptChoice keychain={without} kept={kept} onChoose={setKept} /> : null}
          </>
        ),
        end: (
          <Link href={from ?? "/"} className="btn btn-ghost btn-lg">
            Work offline
          </Link>
        ),
        headers: without ? { [KEPT_HEADER]: kept } : {},
        refused: ({ code }) => {
          if (code === "keychain_unavailable")
            setWithout(program.keychain === "locked" ? "locked" : "absent");
        },
      }}
    />
  );
}

/** The server as it is, or another one. */
function ServerChoice({ address }: { address: string }) {
  const chooseServer = useChooseServer();
  const [wanted, setWanted] = useState<string | null>(address === "" ? "" : null);
  const [problem, setProblem] = useState("");
  const [busy, setBusy] = useState(false);
  const choose = async () => {
    if (wanted === null || wanted.trim() === "") return setProblem("Give the server's address.");
    setBusy(true);
    try {
      await chooseServer(wanted.trim());
      setWanted(null);
    } catch (error) {
      setProblem(failureOf(error).detail);
    }
    setBusy(false);
  };
  if (wanted === null)
    return (
      <div className="row gap2 signin-address">
        <Icon name="server" className="muted" />
        <span className="grow truncate" title={address}>
          {address}
        </span>
        <button type="button" className="btn btn-sm" onClick={() => setWanted(address)}>
          Other server
        </button>
      </div>
    );
  return (
    <Field
      label="Server"
      inputMode="url"
      autoComplete="url"
      spellCheck={false}
      placeholder="https://"
      autoFocus={address !== ""}
      value={wanted}
      problem={problem}
      onChange={(value) => {
        setWanted(value);
        setProblem("");
      }}
      onKeyDown={(event) => {
        if (event.key === "Escape" && address !== "") setWanted(null);
        if (event.key !== "Enter") return;
        // It chooses the server; the form around it signs in there.
        event.preventDefault();
        void choose();
      }}
      end={
        <BusyButton type="button" className="btn btn-sm" busy={busy} onClick={() => void choose()}>
          Use it
        </BusyButton>
      }
    />
  );
}

const CHOICES: readonly [Kept, string, string][] = [
  ["memory", "Nowhere", "You sign in again each time the program starts."],
  ["file", "In a file of yours", "Programs that run as you can read it and act as you."],
];

interface KeptProps {
  keychain: Keychain;
  kept: Kept;
  onChoose: (kept: Kept) => void;
}

function KeptChoice({ keychain, kept, onChoose }: KeptProps) {
  const id = useId();
  return (
    <fieldset className="banner warn signin-kept" aria-describedby={id}>
      <legend className="visually-hidden">Where the sign-in is kept</legend>
      <Icon name="key" />
      <div className="signin-note">
        <div className="medium" id={id}>
          {keychain === "locked"
            ? "This computer's keychain is locked. Unlock it, or choose where the sign-in is kept."
            : "This computer has no keychain. Choose where the sign-in is kept."}
        </div>
        {CHOICES.map(([value, label, text]) => (
          <label key={value} className="signin-choice">
            <input
              type="radio"
              name="kept"
              value={value}
              checked={kept === value}
              onChange={() => onChoose(value)}
            />
            <span>
              {label}
              <span className="small muted signin-why">{text}</span>
            </span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}
