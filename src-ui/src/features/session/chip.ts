/** What the header and the status bar say of a session: one word, one icon, one detail. */
import { isAway } from "../../host/lack";
import type { LiveState } from "../../host/live";
import { clock, mebibytes, seconds, span } from "../../ui/words";

export type SessionStateName =
  | "requested"
  | "provisioning"
  | "ready"
  | "idle"
  | "stopping"
  | "stopped"
  | "failed";

/** What the chip needs to know; a part of the API's session. */
export interface SessionFacts {
  state: SessionStateName;
  created_at: string;
  ready_at?: string;
  idle_stop_at?: string;
  reason?: { code: string; text: string };
  stages: readonly { name: string; detail?: string; ms?: number }[];
}

export interface UsageFacts {
  memoryBytes: number;
  memoryLimitBytes: number;
  cpuMillis: number;
  idleStopUnixMs: number;
}

export type ChipTone = "none" | "busy" | "ok" | "warn" | "danger";

export interface Chip {
  tone: ChipTone;
  word: string;
  detail: string;
  /** The longer text of the status bar. */
  status: string;
  /** Behind it while programs run: "212 of 512 MiB"; empty when nobody measured yet. */
  memory: string;
  cpu: string;
  /** Memory is near its limit. */
  tight: boolean;
}

/** How what is shown came here: just now, before the server went away, or not at all since the page was loaded. */
export type Sight = "live" | "seen" | "unknown";

export function sightOf({ sessionTold, connection }: LiveState): Sight {
  if (!sessionTold) return "unknown";
  return isAway(connection) ? "seen" : "live";
}

const TIGHT = 0.9;

const WAS: Record<SessionStateName, string> = {
  requested: "Was starting",
  provisioning: "Was starting",
  ready: "Was running",
  idle: "Was idle",
  stopping: "Was stopping",
  stopped: "No session",
  failed: "Stopped",
};

export function chipOf(
  session: SessionFacts | null,
  usage: UsageFacts | null,
  now: number,
  cpuLimitMillis: number,
  sight: Sight = "live",
): Chip {
  if (sight === "unknown") return plain("none", "Session", "unknown", "Session: unknown");
  if (sight === "seen") {
    // Neither an age nor a load: they went on, or did not, where nobody looks.
    const was = session ? WAS[session.state] : "No session";
    return plain("none", was, "as last seen", `${was}, as last seen`);
  }
  if (!session) return plain("none", "No session", "", "No session");
  switch (session.state) {
    case "requested":
    case "provisioning":
      return starting(session, now);
    case "ready":
    case "idle":
      return running(session, usage, now, cpuLimitMillis);
    case "stopping":
      return plain("busy", "Stopping", "", "Stopping session");
    case "stopped": {
      const quiet =
        !session.reason || session.reason.code === "stopped" || session.reason.text === "";
      if (quiet) return plain("none", "No session", "", "No session");
      return plain(
        "none",
        "Stopped",
        short(session.reason?.text ?? ""),
        `Stopped: ${short(session.reason?.text ?? "")}`,
      );
    }
    case "failed": {
      const why = short(session.reason?.text ?? "unknown reason");
      return plain("danger", "Stopped", why, `Stopped: ${why}`);
    }
  }
}

function starting(session: SessionFacts, now: number): Chip {
  const took = seconds(now - Date.parse(session.created_at));
  const files = session.stages.find((stage) => stage.name === "files" && stage.ms === undefined);
  const detail = files?.detail ? ` · files ${files.detail}` : "";
  return plain("busy", "Starting", took, `Starting ${took}${detail}`);
}

function running(
  session: SessionFacts,
  usage: UsageFacts | null,
  now: number,
  cpuLimitMillis: number,
): Chip {
  const stopAt =
    usage && usage.idleStopUnixMs > 0
      ? usage.idleStopUnixMs
      : session.state === "idle" && session.idle_stop_at
        ? Date.parse(session.idle_stop_at)
        : 0;
  if (stopAt > 0) {
    const left = clock(stopAt - now);
    return plain("warn", `Stops in ${left}`, "", `Idle, stops in ${left}`);
  }
  const age = span(now - Date.parse(session.ready_at ?? session.created_at));
  if (!usage || usage.memoryLimitBytes === 0) return plain("ok", "Session", age, `Running ${age}`);
  const cpu = Math.round((usage.cpuMillis / Math.max(1, cpuLimitMillis)) * 100);
  return {
    tone: "ok",
    word: "Session",
    detail: age,
    status: `Running ${age}`,
    memory: `${mebibytes(usage.memoryBytes)} of ${mebibytes(usage.memoryLimitBytes)} MiB`,
    cpu: `CPU ${cpu} %`,
    tight: usage.memoryBytes >= TIGHT * usage.memoryLimitBytes,
  };
}

function plain(tone: ChipTone, word: string, detail: string, status: string): Chip {
  return { tone, word, detail, status, memory: "", cpu: "", tight: false };
}

/** The first clause: a chip has no room for sentences. */
function short(text: string): string {
  const clause = text.split(/[:.;]/)[0] ?? text;
  const lower = clause.charAt(0).toLowerCase() + clause.slice(1);
  return lower.length > 32 ? `${lower.slice(0, 31)}…` : lower;
}
