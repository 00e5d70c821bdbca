/** The session in the bottom panel: nothing yet, its start step by step, or why it ended. */
import type { ReactNode } from "react";
import { find } from "../../bench/actions";
import { Act } from "../../bench/Buttons";
import { useBench, useHere, useStore } from "../../bench/bench";
import { useServerNow } from "../../bench/clock";
import type { Session } from "../../host/generated/api/Session";
import type { StageName } from "../../host/generated/api/StageName";
import type { HereState } from "../../host/here";
import { lackOf } from "../../host/lack";
import { Empty } from "../../ui/Empty";
import { Icon } from "../../ui/Icon";
import { duration, seconds, timeOfDay } from "../../ui/words";
import { copyDiagnostics } from "./actions";
import { sightOf } from "./chip";
import { endWords, safeWords } from "./words";
import "./session.css";

const STAGES: readonly [StageName, string][] = [
  ["accepted", "Accepted"],
  ["queue", "Queue"],
  ["image", "Image ready"],
  ["place", "Place made"],
  ["agent", "Agent answers"],
  ["files", "Files synced"],
  ["shell", "Shell ready"],
];

/** What the page gives: the memory of the session's life, and where its last output can be seen. */
interface Given {
  curve?: ReactNode;
  onOutput: (() => void) | null;
  /** Opens a terminal on this machine, in the desktop program. */
  onHere?: (() => void) | null;
}

/** What stands where terminals would, while there is no usable session. */
export function SessionPanel(given: Given) {
  const bench = useBench();
  const session = useStore(bench.live.store, (state) => state.session);
  const sight = useStore(bench.live.store, sightOf);
  const lack = useStore(bench.live.store, (state) => lackOf(state.connection));
  const signedOut = useStore(
    bench.live.store,
    ({ connection }) => connection.state === "signed-out",
  );
  const onlyHere = useHere(isOnlyHere, false);
  const here = given.onHere ? <HereButton onHere={given.onHere} /> : null;
  if (onlyHere) return <OnlyHere>{here}</OnlyHere>;
  if (session?.state === "requested" || session?.state === "provisioning")
    return <Starting session={session} />;
  if (session?.state === "failed" || session?.state === "stopped")
    return <Ended session={session} {...given} />;
  if (session?.state === "stopping")
    return <Empty title="The session is stopping" text="What it wrote is being stored." grow />;
  if (sight === "unknown" && signedOut)
    return (
      <Empty
        icon="terminal"
        title={lack ?? ""}
        text="Editing goes on. A session is a server's: sign in to see whether one runs, or to start one."
        grow
        actions={
          <>
            {here}
            <Act action={find(bench.actions(), "app.signIn")}>Sign in</Act>
          </>
        }
      />
    );
  if (sight === "unknown")
    return (
      <Empty
        icon="terminal"
        title="Whether a session runs is not known yet"
        text={
          lack === null
            ? "The server is asked."
            : `${lack}. Editing goes on; a session that runs goes on, too, and is here when it is back.`
        }
        grow
        late
        actions={here}
      />
    );
  return (
    <Empty
      icon="terminal"
      title={
        sight === "live" ? "Start a session to open a terminal" : "No session ran when last seen"
      }
      text={
        lack === null
          ? "An isolated place with Python 3.11, Node 20 and your files. It stops by itself when idle."
          : `${lack}. Editing goes on; a session can start when it is back.`
      }
      grow
      actions={
        <>
          <StartButton lack={lack} />
          {here}
        </>
      }
    />
  );
}

function isOnlyHere({ workspace }: HereState): boolean {
  return workspace !== null && !workspace.remote;
}

function StartButton({ lack }: { lack: string | null }) {
  const bench = useBench();
  return (
    <button
      type="button"
      className="btn btn-primary"
      disabled={lack !== null}
      title={lack ?? undefined}
      onClick={() => void bench.startSession()}
    >
      Start session
    </button>
  );
}

function HereButton({ onHere }: { onHere: () => void }) {
  return (
    <button type="button" className="btn" onClick={onHere}>
      Terminal on this computer
    </button>
  );
}

/** No server knows the workspace, so that nothing of it can run there. */
function OnlyHere({ children }: { children: ReactNode }) {
  const bench = useBench();
  const actions = bench.actions();
  const signedOut = bench.live.connection.status.state === "signed-out";
  return (
    <Empty
      icon="terminal"
      title="This workspace is only on this computer"
      text="A terminal of this computer works at once. To run in a session, upload it to the server."
      grow
      actions={
        <>
          {children}
          {signedOut ? (
            <Act action={find(actions, "app.signIn")}>Sign in to a server</Act>
          ) : (
            <Act action={find(actions, "sync.upload")}>Upload to the server</Act>
          )}
        </>
      }
    />
  );
}

function Starting({ session }: { session: Session }) {
  const bench = useBench();
  const live = useStore(bench.live.store, (state) => sightOf(state) === "live");
  const now = useServerNow(live ? 100 : 0);
  const took = now - Date.parse(session.created_at);
  const usual = session.usual_start_ms;
  const known = new Map(session.stages.map((stage) => [stage.name, stage]));
  const done = session.stages.filter((stage) => stage.ms !== undefined).length;
  return (
    <section className="session-start" aria-label="Session start">
      <div className="row session-head">
        <h2>Starting session</h2>
        <span className="push num">
          <span className="medium">{live ? seconds(took) : "as last seen"}</span>
          {live && usual ? <span className="faint"> · usually {seconds(usual)}</span> : null}
        </span>
      </div>
      <div
        className="progress"
        role="progressbar"
        aria-label="Start"
        aria-valuemin={0}
        aria-valuemax={STAGES.length}
        aria-valuenow={done}
      >
        <i style={{ width: `${((done + 0.3) / STAGES.length) * 100}%` }} />
      </div>
      <ol className="session-stages">
        {STAGES.map(([name, word]) => {
          const stage = known.get(name);
          if (!stage)
            return (
              <li key={name} className="session-stage is-waiting">
                <Icon name="circle-dashed" className="faint" />
                <span className="session-name">{word}</span>
              </li>
            );
          const running = stage.ms === undefined;
          return (
            <li
              key={name}
              className={`session-stage${running ? " is-now" : ""}`}
              aria-current={running ? "step" : undefined}
            >
              {running ? <span className="spinner" /> : <Icon name="check" className="ok" />}
              <span className="session-name">{word}</span>
              <span className="session-note truncate">{stage.detail ?? ""}</span>
              <span className="push muted num">
                {stage.ms !== undefined
                  ? duration(stage.ms)
                  : live
                    ? seconds(now - Date.parse(stage.started_at))
                    : ""}
              </span>
            </li>
          );
        })}
      </ol>
      <div className="row gap3 session-acts">
        <button type="button" className="btn" onClick={() => bench.hidePanel()}>
          Keep editing
        </button>
        <button type="button" className="btn btn-ghost" onClick={() => void bench.stopSession()}>
          Cancel start
        </button>
        <span className="push small faint">Your terminal opens here by itself.</span>
      </div>
    </section>
  );
}

/** Where the files are, now that what ran beside them is gone. */
function Safe() {
  const { live, here } = useBench();
  const revision = useStore(live.store, (state) => state.head);
  const files = useStore(live.store, () => live.entries.size);
  const sync = useHere((state) => state.sync, null);
  return <span>{safeWords(files, here ? sync : { revision, up: 0, blocked: 0 })}</span>;
}

function Ended({ session, curve, onOutput, onHere }: { session: Session } & Given) {
  const bench = useBench();
  const lack = useStore(bench.live.store, (state) => lackOf(state.connection));
  const words = endWords(session);
  return (
    <section className="session-start" aria-label={words.title}>
      <div className="row gap3" role="status">
        <Icon name={words.icon} className={words.tone} />
        <h2>{words.title}</h2>
        <span className="push faint num">
          {session.ended_at ? timeOfDay(session.ended_at) : ""}
        </span>
      </div>
      <p className="muted session-why">{words.text}</p>
      <p className="row gap3 session-safe">
        <Icon name="shield" className="ok" />
        <Safe />
      </p>
      {curve}
      {words.hint ? (
        <p className="session-hint">
          <Icon name="sparkle" className="muted" />
          <span>{words.hint}</span>
        </p>
      ) : null}
      <div className="row gap3 session-acts">
        <StartButton lack={lack} />
        {onOutput ? (
          <button type="button" className="btn" onClick={onOutput}>
            Show last output
          </button>
        ) : null}
        {onHere ? <HereButton onHere={onHere} /> : null}
        <button
          type="button"
          className="btn btn-ghost"
          onClick={() => copyDiagnostics(bench, session)}
        >
          <Icon name="copy" /> Copy diagnostics
        </button>
      </div>
    </section>
  );
}
