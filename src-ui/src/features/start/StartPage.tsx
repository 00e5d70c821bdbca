/** The first page of the desktop program: three ways in, of which two need neither account nor network. */
import { type FormEvent, type ReactNode, useEffect, useState } from "react";
import { Link, useLocation } from "wouter";
import { capsOf, chordOf } from "../../bench/actions";
import { listedWords } from "../../bench/syncWords";
import type { Desktop } from "../../host/generated/api/Desktop";
import type { LocalWorkspace } from "../../host/generated/api/LocalWorkspace";
import type { Template } from "../../host/generated/api/Template";
import { failureOf } from "../../host/ide";
import { useChooseServer, useLocalWorkspaces, useProgram } from "../../host/local";
import { toSignIn } from "../../host/signIn";
import { useHost } from "../../host/useHost";
import { BusyButton } from "../../ui/BusyButton";
import { ListFailed, ListToCome } from "../../ui/Card";
import { Field } from "../../ui/Field";
import { FolderPath } from "../../ui/FolderPath";
import { Icon } from "../../ui/Icon";
import { usePopups } from "../../ui/popups";
import { STARTERS } from "../../ui/starters";
import { useNow } from "../../ui/useNow";
import { ago, exactly } from "../../ui/words";
import { createLocal, openFolder, rowMenu } from "./acts";
import "./start.css";

const NOW_MS = 30_000;

export function StartPage() {
  const program = useProgram();
  const { data: workspaces, error, refetch } = useLocalWorkspaces();
  const first = workspaces?.length === 0;
  const known = workspaces || error;
  return (
    <main className={`main start${first ? " is-first" : ""}`}>
      <div className="start-hero">
        <Icon name="mark" className="accent start-mark" />
        <h1>Slipway</h1>
        <p className="muted">
          Edit here. Run in the cloud. Every file stays on this computer, too.
        </p>
      </div>
      {error ? (
        <ListFailed
          error={error}
          title="The workspaces of this computer could not be listed"
          onRetry={() => void refetch()}
        />
      ) : null}
      {known ? null : (
        <div className="start-recent">
          <ListToCome rows={3} label="Reading the workspaces of this computer" />
        </div>
      )}
      {workspaces?.length ? <Recent workspaces={workspaces} /> : null}
      {/* Before the list is there, the ways in would move away under a click. */}
      {known ? <Ways program={program} /> : null}
    </main>
  );
}

/** The three ways in. */
function Ways({ program }: { program: ReturnType<typeof useProgram> }) {
  return (
    <div className="start-cards">
      <OpenFolder />
      <FromTemplate home={program.data?.home ?? ""} />
      {program.data ? (
        <Server program={program.data} />
      ) : (
        <Way
          icon="server"
          title="Your server"
          text={program.error ? failureOf(program.error).detail : ""}
        >
          {program.error ? (
            <div className="start-act">
              <button type="button" className="btn btn-lg" onClick={() => void program.refetch()}>
                Try again
              </button>
            </div>
          ) : null}
        </Way>
      )}
    </div>
  );
}

interface WayProps {
  icon: string;
  title: string;
  text: string;
  children: ReactNode;
}

function Way({ icon, title, text, children }: WayProps) {
  return (
    <section className="card start-card" aria-label={title}>
      <Icon name={icon} className="icon-lg muted" />
      <h2>{title}</h2>
      <p className="muted">{text}</p>
      {children}
    </section>
  );
}

/** A button with the key that does the same wherever the focus is. */
function Chosen({
  chord,
  run,
  primary,
  children,
}: {
  chord: string;
  run: () => void;
  primary?: boolean;
  children: string;
}) {
  useEffect(() => {
    const heard = (event: KeyboardEvent) => {
      if (chordOf(event) !== chord || document.querySelector("[role=dialog]")) return;
      event.preventDefault();
      run();
    };
    addEventListener("keydown", heard);
    return () => removeEventListener("keydown", heard);
  }, [chord, run]);
  return (
    <div className="start-act">
      <button
        type="button"
        className={`btn btn-lg${primary ? " btn-primary" : ""}`}
        aria-keyshortcuts={chord.replace("Ctrl", "Control")}
        onClick={run}
      >
        {children}
      </button>
      <span className="kbds push" aria-hidden="true">
        {capsOf(chord).map((cap) => (
          <span key={cap} className="kbd">
            {cap}
          </span>
        ))}
      </span>
    </div>
  );
}

function OpenFolder() {
  const host = useHost();
  const popups = usePopups();
  return (
    <Way
      icon="folder-open"
      title="Open a folder"
      text="Work on files that are already here. No account, no network."
    >
      <Chosen chord="Ctrl+O" primary run={() => void openFolder(host, popups)}>
        Open folder
      </Chosen>
    </Way>
  );
}

function FromTemplate({ home }: { home: string }) {
  const host = useHost();
  const popups = usePopups();
  const [template, setTemplate] = useState<Template>("python");
  return (
    <Way icon="box" title="New from template" text="A small workspace to begin with.">
      <fieldset className="start-templates" aria-label="Template">
        {STARTERS.map((one) => (
          <label key={one.template} className="start-template">
            <input
              type="radio"
              name="template"
              checked={template === one.template}
              onChange={() => setTemplate(one.template)}
            />
            <span>{one.title}</span>
            <span className="push faint small">{one.text}</span>
          </label>
        ))}
      </fieldset>
      <Chosen chord="Ctrl+N" run={() => void createLocal(host, popups, template, home)}>
        Create workspace
      </Chosen>
    </Way>
  );
}

function Server({ program }: { program: Desktop }) {
  const { server } = program;
  if (server?.account)
    return (
      <Way
        icon="server"
        title="Your server"
        text={`Signed in as ${server.account.name}, ${server.account.email}.`}
      >
        <p className="small faint truncate start-address">{server.address}</p>
        <div className="start-act">
          <Link href="/server" className="btn btn-lg">
            Show its workspaces
          </Link>
        </div>
      </Way>
    );
  return <ChooseServer known={server?.address ?? ""} />;
}

function ChooseServer({ known }: { known: string }) {
  const choose = useChooseServer();
  const [, go] = useLocation();
  const [address, setAddress] = useState(known);
  const [problem, setProblem] = useState("");
  const [busy, setBusy] = useState(false);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (address.trim() === "") return setProblem("Give the server's address.");
    setBusy(true);
    try {
      await choose(address.trim());
      go(toSignIn());
    } catch (error) {
      setProblem(failureOf(error).detail);
      setBusy(false);
    }
  };
  return (
    <Way
      icon="server"
      title="Sign in to a server"
      text="Keep workspaces in step with it and run them in the cloud."
    >
      <form className="start-server" onSubmit={submit} noValidate>
        <Field
          label="Server address"
          inputMode="url"
          autoComplete="url"
          spellCheck={false}
          placeholder="https://"
          value={address}
          problem={problem}
          onChange={(value) => {
            setAddress(value);
            setProblem("");
          }}
        />
        <div className="start-act">
          <BusyButton type="submit" className="btn btn-lg" busy={busy}>
            Continue
          </BusyButton>
          <span className="faint small push">Later is fine, too.</span>
        </div>
      </form>
    </Way>
  );
}

function Recent({ workspaces }: { workspaces: readonly LocalWorkspace[] }) {
  const now = useNow(NOW_MS);
  return (
    <section className="start-recent" aria-labelledby="start-recent">
      <h2 id="start-recent" className="label">
        On this computer
      </h2>
      <ul className="set-list">
        {workspaces.map((one) => (
          <Row key={one.id} workspace={one} now={now} />
        ))}
      </ul>
    </section>
  );
}

function Row({ workspace, now }: { workspace: LocalWorkspace; now: number }) {
  const { name, there, sync, opened_at } = workspace;
  const words = listedWords(sync);
  const host = useHost();
  const popups = usePopups();
  return (
    <li className="set-row start-row">
      <Icon name={there ? "folder" : "folder-open"} className={there ? "muted" : "faint"} />
      <span className="grow">
        <Link
          href={`/w/${workspace.id}`}
          className="medium truncate start-open"
          aria-label={`${name}, ${workspace.short}`}
          title={workspace.folder}
        >
          {name}
        </Link>
        <FolderPath of={workspace} />
      </span>
      <span className="row gap2 small start-state">
        <Icon name={words.icon} className={`icon-sm ${words.tone}`} />
        {words.text}
      </span>
      <span className="small faint num start-when" title={exactly(opened_at)}>
        {Date.parse(opened_at) === 0 ? "not opened yet" : ago(opened_at, now)}
      </span>
      <button
        type="button"
        className="btn btn-ghost btn-icon btn-sm start-more"
        aria-label={`Actions for ${name}, ${workspace.short}`}
        aria-haspopup="menu"
        onClick={(event) => popups.menu(event.currentTarget, rowMenu(host, popups, workspace))}
      >
        <Icon name="more" />
      </button>
    </li>
  );
}
