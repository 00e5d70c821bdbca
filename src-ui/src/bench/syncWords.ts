/** How a workspace of this machine stands, in a few words: the same in the list, in the status bar and beside its files. */
import type { SyncBrief } from "../host/generated/api/SyncBrief";

export interface BriefWords {
  icon: string;
  tone: "ok" | "accent" | "warn" | "danger" | "faint";
  text: string;
}

export function briefWords(brief: SyncBrief): BriefWords {
  const { state, up, down, blocked, conflicts } = brief;
  if (state === "broken")
    return { icon: "alert", tone: "danger", text: brief.reason ?? "The folder cannot be used" };
  if (conflicts > 0)
    return { icon: "alert", tone: "warn", text: many(conflicts, "conflict", "conflicts") };
  if (state === "local") return { icon: "disk", tone: "faint", text: "Only on this computer" };
  if (state === "refused")
    return { icon: "lock", tone: "warn", text: brief.reason ?? "The server refuses" };
  if (state === "offline" && up > 0)
    return { icon: "arrow-up", tone: "warn", text: many(up, "edit waits", "edits wait") };
  if (state === "offline") return { icon: "check", tone: "faint", text: "Nothing waits" };
  if (blocked > 0)
    return { icon: "ban", tone: "warn", text: `${many(blocked, "file", "files")} cannot sync` };
  if (up + down > 0)
    return { icon: "refresh", tone: "accent", text: `Syncing ${many(up + down, "file", "files")}` };
  if (state === "connecting") return { icon: "loader", tone: "faint", text: "Connecting" };
  return { icon: "check", tone: "ok", text: "Synced" };
}

/** Deletions that wait for a person's word come before all else. */
export function heldWords(held: number): BriefWords {
  return {
    icon: "trash",
    tone: "warn",
    text: `${many(held, "deletion waits", "deletions wait")} for you`,
  };
}

export function many(count: number, one: string, more: string): string {
  return `${count} ${count === 1 ? one : more}`;
}
