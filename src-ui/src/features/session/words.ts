/** Why a session ended, in words: a heading, a tone, and what can be done about it. */
import type { Session } from "../../host/generated/api/Session";
import type { Sync } from "../../host/generated/api/Sync";
import { count } from "../../ui/words";

export interface EndWords {
  icon: string;
  tone: "danger" | "warn" | "faint";
  title: string;
  text: string;
  /** What helps, if anything in particular does. */
  hint: string | null;
}

const QUIET = new Set(["stopped", "idle_stop", "lifetime_reached"]);

const TITLES: Record<string, string> = {
  out_of_memory: "Session stopped: out of memory",
  disk_full: "Session stopped: its disk is full",
  idle_stop: "Session stopped: nothing happened in it",
  lifetime_reached: "Session stopped: it reached its longest life",
  session_lost: "The session was lost",
  session_unreachable: "The session cannot be reached",
  sandbox_unavailable: "This server cannot run code",
  image_missing: "This server lacks the image for sessions",
};

const HINTS: Record<string, string> = {
  out_of_memory:
    "Read large files in parts, for example pd.read_csv(path, chunksize=50_000), and drop what you no longer need.",
  disk_full: "Delete what can be made again, such as .venv or node_modules, and start the session.",
  sandbox_unavailable: "Whoever runs the server finds what is missing by slipway-server doctor.",
};

/** Where so many files are, by how this machine stands with the server; null while that is not known. */
export function safeWords(
  files: number,
  sync: Pick<Sync, "revision" | "up" | "blocked"> | null,
): string {
  const all = `Your files are safe: all ${count(files)} are on`;
  if (!sync) return `${all} this computer.`;
  const waiting = sync.up + sync.blocked;
  if (waiting === 0) return `${all} the server at revision ${count(sync.revision)}.`;
  return `${all} this computer; ${waiting === 1 ? "1 change is" : `${count(waiting)} changes are`} not on the server yet.`;
}

/** Also for one that a person stopped, which has no cause. */
export function endWords(session: Pick<Session, "state" | "reason" | "ready_at">): EndWords {
  const code: string = session.reason?.code ?? "";
  const failed = session.state === "failed";
  const quiet = !failed && (code === "" || QUIET.has(code));
  const plain = failed && !session.ready_at ? "The session did not start" : "Session stopped";
  return {
    icon: quiet ? "stop-circle" : "error",
    tone: quiet ? "faint" : "danger",
    title: TITLES[code] ?? plain,
    text: session.reason?.text ?? (failed ? "The server gave no reason." : "You stopped it."),
    hint: HINTS[code] ?? null,
  };
}

/** What somebody who can help needs to know; no file and no output is in it. */
export function diagnostics(session: Session): string {
  const { id, state, reason, stages, created_at, ready_at, ended_at } = session;
  return JSON.stringify(
    { session: id, state, reason, stages, created_at, ready_at, ended_at },
    null,
    2,
  );
}
