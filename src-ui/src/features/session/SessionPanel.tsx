/** The session in the bottom panel: nothing yet, its start step by step, or why it ended. */
import { useBench, useStore } from "../../bench/bench";
import type { Session } from "../../host/generated/api/Session";
import type { StageName } from "../../host/generated/api/StageName";
import { failureOf } from "../../host/ide";
import { Icon } from "../../ui/Icon";
import { useNow } from "../../ui/useNow";
import { duration, seconds } from "./chip";
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

/** What stands where terminals would, while there is no usable session; null when there is one. */
export function SessionPanel() {
  const bench = useBench();
  const session = useStore(bench.live.store, (state) => state.session);
  const connection = useStore(bench.live.store, (state) => state.connection.state);
  if (session?.state === "requested" || session?.state === "provisioning")
    return <Starting session={session} />;
  if (session?.state === "failed") return <Failed session={session} />;
  if (session?.state === "stopping")
    return (
      <div className="empty">
        <span className="spinner" />
        <h2>The session is stopping</h2>
        <p className="small">What it wrote is being stored.</p>
      </div>
    );
  const online = connection === "online";
  return (
    <div className="empty session-none">
      <Icon name="terminal" />
      <h2>Start a session to open a terminal</h2>
      <p className="small">
        {online
          ? "An isolated place with Python 3.11, Node 20 and your files. It stops by itself when idle."
          : "The server does not answer. Editing goes on; a session can start when it is back."}
      </p>
      <div className="actions">
        <button
          type="button"
          className="btn btn-primary"
          disabled={!online}
          onClick={() => void bench.startSession()}
        >
          Start session
        </button>
      </div>
    </div>
  );
}

function Starting({ session }: { session: Session }) {
  const bench = useBench();
  const now = useNow(100);
  const took = now - Date.parse(session.created_at);
  const usual = session.usual_start_ms;
  const known = new Map(session.stages.map((stage) => [stage.name, stage]));
  const done = session.stages.filter((stage) => stage.ms !== undefined).length;
  return (
    <section className="session-start" aria-label="Session start">
      <div className="row session-head">
        <h3>Starting session</h3>
        <span className="push num">
          <span className="medium">{seconds(took)}</span>
          {usual ? <span className="faint"> · usually {seconds(usual)}</span> : null}
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
                {stage.ms === undefined
                  ? seconds(now - Date.parse(stage.started_at))
                  : duration(stage.ms)}
              </span>
            </li>
          );
        })}
      </ol>
      <div className="row gap3 session-acts">
        <button type="button" className="btn" onClick={() => bench.hidePanel()}>
          Keep editing
        </button>
        <button
          type="button"
          className="btn btn-ghost"
          onClick={() =>
            void bench.live.calls
              .stopSession()
              .then(() => bench.live.pullSession())
              .catch((error: unknown) =>
                bench.toast({ tone: "danger", text: failureOf(error).detail }),
              )
          }
        >
          Cancel start
        </button>
        <span className="push small faint">Your terminal opens here by itself.</span>
      </div>
    </section>
  );
}

function Failed({ session }: { session: Session }) {
  const bench = useBench();
  const head = useStore(bench.live.store, (state) => state.head);
  const runs = useStore(bench.live.store, (state) => state.runs);
  const code = session.reason?.code ?? "start_failed";
  const last = runs.find((run) => run.session === session.id);
  const when = session.ended_at
    ? new Date(session.ended_at).toLocaleTimeString([], {
        hourCycle: "h23",
        hour: "2-digit",
        minute: "2-digit",
      })
    : "";
  const copy = () => {
    const text = JSON.stringify(
      { session: session.id, state: session.state, reason: session.reason, stages: session.stages },
      null,
      2,
    );
    bench.host.clipboard.write(text).then(
      () => bench.toast({ text: "Diagnostics copied" }),
      () => bench.toast({ tone: "warn", text: "The browser did not let them be copied." }),
    );
  };
  return (
    <div className="session-start" role="alert">
      <div className="row gap3">
        <Icon name="error" className="danger" />
        <h3>{session.ready_at ? "Session stopped" : "The session did not start"}</h3>
        <span className="push faint num">{when}</span>
      </div>
      <p className="muted session-why">{session.reason?.text ?? "The server gave no reason."}</p>
      <p className="row gap3 session-safe">
        <Icon name="shield" className="ok" />
        <span>
          Your files are safe: they are on the server at revision {head}. The output is kept.
        </span>
      </p>
      {code === "out_of_memory" ? (
        <p className="session-hint">
          <Icon name="sparkle" className="muted" />
          <span>
            Read large files in parts, for example{" "}
            <code className="mono">pd.read_csv(path, chunksize=50_000)</code>, and drop what you no
            longer need.
          </span>
        </p>
      ) : null}
      <div className="row gap3 session-acts">
        <button type="button" className="btn btn-primary" onClick={() => void bench.startSession()}>
          Start session
        </button>
        {last ? (
          <button type="button" className="btn" onClick={() => bench.showPanel("run")}>
            Show last output
          </button>
        ) : null}
        <button type="button" className="btn btn-ghost" onClick={copy}>
          <Icon name="copy" /> Copy diagnostics
        </button>
      </div>
    </div>
  );
}
