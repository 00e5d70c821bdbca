/** What goes on, in a sentence for who does not see it: runs as they go, and whether the server answers. */
import { isOver, nameOfRun, runWords } from "../features/run/words";
import type { ConnectionStatus } from "../host/connection";
import type { Run } from "../host/generated/api/Run";
import { isAway } from "../host/lack";
import type { LiveState } from "../host/live";
import { duration } from "../ui/words";

type Heard = Pick<LiveState, "runs" | "runsTold" | "connection">;

/** What is new; empty when nothing is. `away`: a run that is queued waits for the server. */
export function newsOf(now: Heard, before: Heard, away: boolean): string {
  const said = [server(now.connection, before.connection)];
  // What is told first was so before.
  if (before.runsTold && now.runs !== before.runs)
    for (const run of now.runs) {
      const was = before.runs.find(({ id }) => id === run.id);
      if (was?.state !== run.state) said.push(runNews(run, away));
    }
  return said.filter(Boolean).join(" ");
}

function server(now: ConnectionStatus, before: ConnectionStatus): string {
  if (isAway(now) && !isAway(before)) return "The server is away. What you write is kept here.";
  if (now.state === "online" && isAway(before)) return "The server is back.";
  return "";
}

function runNews(run: Run, away: boolean): string {
  const name = nameOfRun(run);
  if (isOver(run)) {
    const took = run.duration_ms === undefined ? "" : `, ${duration(run.duration_ms)}`;
    return `${name} ${endWords(run)}${took}.`;
  }
  if (run.state === "running") return `${name} runs.`;
  if (run.state !== "queued") return "";
  return away ? `${name} is queued until the server is back.` : `${name} starts with the session.`;
}

function endWords(run: Run): string {
  const { tone } = runWords(run);
  if (tone === "ok") return "is done";
  if (tone === "warn") return "was stopped";
  return run.exit?.code ? `ended with exit code ${run.exit.code}` : "failed";
}
