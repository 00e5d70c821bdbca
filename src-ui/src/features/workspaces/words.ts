/** What the list says in words: languages, sessions, the trash. */
import type { Template } from "../../host/generated/api/Template";
import type { Workspace } from "../../host/generated/api/Workspace";
import { span } from "../../ui/words";

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

/** What a workspace made from this is written in; null when nobody can tell. */
export function language(template: Template): string | null {
  if (template === "python") return "Python";
  return template === "node" ? "Node" : null;
}

/** How long the trash keeps it. */
export function trashWords(purgeAt: string, now: number): string {
  // Rounded, because the clock of the page stands still between its ticks.
  const days = Math.round((Date.parse(purgeAt) - now) / DAY);
  if (days <= 0) return "goes today";
  return days === 1 ? "goes tomorrow" : `goes in ${days} days`;
}

export interface SessionWords {
  icon: string;
  tone: "ok" | "warn" | "danger" | "accent" | "faint";
  word: string;
}

/** What a row says of the workspace's session; null: there is none. */
export function sessionWords(workspace: Workspace, now: number): SessionWords | null {
  const { session } = workspace;
  switch (session?.state) {
    case undefined:
    case "stopped":
      return null;
    case "requested":
    case "provisioning":
      return { icon: "loader", tone: "accent", word: "Starting" };
    case "ready": {
      const ready = session.ready_at ? Date.parse(session.ready_at) : now;
      // The list is not drawn anew every second.
      const age = now - ready < MINUTE ? "" : ` ${span(now - ready)}`;
      return { icon: "dot", tone: "ok", word: `Running${age}` };
    }
    case "idle":
      return { icon: "clock", tone: "warn", word: "Idle, stops soon" };
    case "stopping":
      return { icon: "loader", tone: "faint", word: "Stopping" };
    case "failed":
      return { icon: "error", tone: "danger", word: session.reason ?? "Failed" };
  }
}
