/** How a workspace of this machine stands, in a few words: the same in the list, in the status bar and beside its files. */
import type { Code } from "../host/generated/api/Code";
import type { SyncBrief } from "../host/generated/api/SyncBrief";
import type { Work } from "../host/work";
import { count, many, size } from "../ui/words";

const SAID_BYTES = 1_000_000;

export interface BriefWords {
  icon: string;
  tone: "ok" | "accent" | "warn" | "danger" | "faint";
  text: string;
}

/** `work`: how far it has come, where that is known. */
export function briefWords(brief: SyncBrief, work: Work | null = null): BriefWords {
  const { state, up, down, blocked, conflicts } = brief;
  if (state === "broken") return { icon: "alert", tone: "danger", text: "The folder is gone" };
  if (conflicts > 0)
    return { icon: "alert", tone: "warn", text: many(conflicts, "conflict", "conflicts") };
  if (state === "local") return { icon: "disk", tone: "faint", text: "Only on this computer" };
  if (state === "refused") return { icon: "lock", tone: "warn", text: refusedWords(brief.code) };
  if (state === "offline" && up > 0)
    return { icon: "arrow-up", tone: "warn", text: many(up, "edit waits", "edits wait") };
  if (state === "offline") return { icon: "check", tone: "faint", text: "Nothing waits" };
  if (blocked > 0)
    return { icon: "ban", tone: "warn", text: `${many(blocked, "file", "files")} cannot sync` };
  if (up + down > 0) return { icon: "refresh", tone: "accent", text: workWords(up + down, work) };
  if (state === "connecting") return { icon: "loader", tone: "faint", text: "Connecting" };
  return { icon: "check", tone: "ok", text: "Synced" };
}

/** The same of one in a list: whether something waits in a folder that nobody has open is not looked at. */
export function listedWords(brief: SyncBrief): BriefWords {
  return brief.state === "offline" && brief.up === 0
    ? { icon: "cloud-off", tone: "faint", text: "Not connected" }
    : briefWords(brief);
}

function workWords(left: number, work: Work | null): string {
  return `Syncing ${work && work.filesDone > 0 ? filesWords(work) : many(left, "file", "files")}`;
}

/** How many files of all. */
export function filesWords({ files, filesDone }: Work): string {
  return `${count(filesDone)} of ${many(files, "file", "files")}`;
}

/** Why the server does not take anything, until a person has done something about it. */
function refusedWords(code: Code | undefined): string {
  switch (code) {
    case "sign_in_required":
    case "sign_in_expired":
      return "Sign in to sync";
    case "account_disabled":
      return "The account is disabled";
    case "forbidden":
      return "No access to it";
    case "not_found":
      return "Gone from the server";
    case "workspace_inactive":
      return "Archived or in the trash";
    case "protocol_mismatch":
      return "The versions do not match";
    default:
      return "The server refuses";
  }
}

/** How many bytes of all; nothing of what is so little that it is said too late. */
export function bytesWords({ bytes, bytesDone }: Work): string {
  return bytes < SAID_BYTES ? "" : `${size(bytesDone)} of ${size(bytes)}`;
}

/** Deletions that wait for a person's word come before all else. */
export function heldWords(held: number): BriefWords {
  return {
    icon: "trash",
    tone: "warn",
    text: `${many(held, "deletion waits", "deletions wait")} for you`,
  };
}
