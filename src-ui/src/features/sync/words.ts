/** Sync in words: what the state means for a person, and what helps a path that cannot move. */
import type { Help } from "../../bench/bench";
import type { Code } from "../../host/generated/api/Code";
import type { Conflict } from "../../host/generated/api/Conflict";
import type { Sync } from "../../host/generated/api/Sync";
import type { SyncNotice } from "../../host/generated/api/SyncNotice";
import type { Undone } from "../../host/generated/api/Undone";
import { RULES_FILE } from "../../host/generated/ignored";
import { many, size, timeOfDay } from "../../ui/words";

/** What it means, beginning with what is safe. */
export function standWords(sync: Sync): string {
  switch (sync.state) {
    case "local":
      return "These files are on this computer and nowhere else. On a server they are in your sessions, too.";
    case "connecting":
      return "Everything is saved on this computer.";
    case "offline": {
      const since = sync.offline_since ? ` since ${timeOfDay(sync.offline_since)}` : "";
      return `Everything is saved on this computer and syncs by itself when the server answers. It is away${since}.`;
    }
    case "refused":
      return "Everything is saved on this computer. Sync goes on when this is settled.";
    case "broken":
      return "Nothing is changed anywhere until the folder is back; then it goes on by itself.";
    case "online":
      if (sync.held) return "All but these deletions is the same on both sides.";
      return sync.in_step_at
        ? `Both sides were the same at ${timeOfDay(sync.in_step_at)}.`
        : "Changes go both ways.";
  }
}

/** The act that helps with how it stands, and its words there; null when nothing is to be done. */
export function actOf(
  { state, code }: Sync,
  signedOut: boolean,
): [id: string, words: string] | null {
  switch (state) {
    case "local":
      return signedOut
        ? ["app.signIn", "Sign in to a server"]
        : ["sync.upload", "Upload to the server"];
    case "offline":
      return ["sync.retry", "Try now"];
    case "broken":
      return ["app.open", "Open it where it is now"];
    case "refused":
      if (code === "sign_in_required" || code === "sign_in_expired")
        return ["app.signIn", "Sign in"];
      if (code === "workspace_inactive" || code === "not_found")
        return ["app.workspaces", "Look at the server"];
      return ["sync.retry", "Try again"];
    case "connecting":
    case "online":
      return null;
  }
}

/** How much waits while nothing moves; what moves is told by how far it has come. */
export function waitingWords({ state, up_bytes, down_bytes }: Sync): string {
  const bytes = up_bytes + down_bytes;
  return bytes > 0 && state !== "local" && state !== "online" ? size(bytes) : "";
}

/** Both are seen in the state of the whole. */
const SEEN: readonly Code[] = ["many_deleted", "folder_gone"];

/** What was told since a look before and is seen nowhere else: neither beside a file nor in the state of the whole. */
export function newsIn(sync: Sync | null, before: Sync | null): SyncNotice[] {
  if (!sync || !before) return [];
  // The last one of before may be gone: it may be so no longer.
  const known = ({ at, message }: SyncNotice) =>
    before.notices.some((old) => old.at === at && old.message === message);
  const end = sync.notices.findIndex(known);
  const fresh = end < 0 ? sync.notices : sync.notices.slice(0, end);
  return fresh.filter(({ path, code }) => path === undefined && !SEEN.includes(code));
}

const THINGS = { file: "a file", folder: "a folder", symlink: "a link" } as const;

/** What the row of a conflict says. */
export function conflictWords({ base, mine, theirs }: Conflict): string {
  if (theirs === undefined) return "deleted on the server";
  if (mine !== theirs) return `${THINGS[mine]} here, ${THINGS[theirs]} on the server`;
  if (mine === "symlink") return "choose one of two links";
  return base ? "changed on both sides" : "choose one of two";
}

export interface HelpWords {
  label: string;
  act: Help | "leaveOut" | "folder";
  /** What exactly it does. */
  hint?: string;
}

const LEAVE_OUT = `It stays on this computer: a line in ${RULES_FILE} says so`;

/** The one act that helps a path that cannot move; null when it helps itself. */
export function helpOf(code: Code | undefined): HelpWords | null {
  switch (code) {
    case "path_case_clash":
    case "path_invalid":
    case "path_reserved":
    case "path_exists":
    case "path_not_folder":
      return { label: "Rename it", act: "rename" };
    case "file_too_large":
    case "link_escapes":
      return { label: "Leave it out", act: "leaveOut", hint: LEAVE_OUT };
    case "workspace_full":
    case "too_many_entries":
      return { label: "Show it", act: "show" };
    case "path_taken":
    case "file_unreadable":
    case "disk_forbidden":
      return { label: "Show the folder", act: "folder" };
    default:
      return null;
  }
}

/** How an undo ended: how much is as before, and of the rest why it is not. */
export function undoneWords({ many: count, left }: Undone): string {
  const back =
    count === 0
      ? "Nothing was taken back."
      : `${many(count, "file is", "files and folders are")} as before.`;
  const whys = left.map(({ code }) => notUndoneWords(code));
  const said = [...new Set(whys)].map((why) => {
    const how = whys.filter((other) => other === why).length;
    return why === CHANGED
      ? `${many(how, "was", "were")} ${why}.`
      : `${many(how, "stays as it is", "stay as they are")}: ${why}.`;
  });
  return [back, ...said].join(" ");
}

const CHANGED = "changed since and not touched";

function notUndoneWords(code: Code): string {
  switch (code) {
    case "stale":
    case "path_exists":
    case "path_not_folder":
      return CHANGED;
    case "file_busy":
      return "a program is writing";
    case "content_missing":
      return "what was there before is not kept any more";
    case "disk_full":
      return "the disk is full";
    case "disk_forbidden":
      return "this computer does not allow to write there";
    case "path_case_clash":
      return "another name differs from it only in letter case or accents";
    case "folder_gone":
      return "the folder is gone";
    default:
      return "the disk refused";
  }
}
