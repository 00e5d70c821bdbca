/** Sync in words: what the state means for a person, and what helps a path that cannot move. */

import type { Help } from "../../bench/bench";
import { many } from "../../bench/syncWords";
import type { Code } from "../../host/generated/api/Code";
import type { Conflict } from "../../host/generated/api/Conflict";
import type { Sync } from "../../host/generated/api/Sync";
import type { Undone } from "../../host/generated/api/Undone";
import { timeOfDay } from "../../ui/words";

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
      return "Nothing is changed anywhere until the folder is back.";
    case "online":
      return sync.in_step_at
        ? `Both sides were the same at ${timeOfDay(sync.in_step_at)}.`
        : "Changes go both ways.";
  }
}

/** What the row of a conflict says. */
export function conflictWords({ kind, base, mine, theirs }: Conflict): string {
  if (theirs === undefined) return "deleted on the server";
  if (mine === undefined) return "deleted here";
  if (kind === "symlink") return "choose one of two links";
  return base ? "changed on both sides" : "choose one of two";
}

export interface HelpWords {
  label: string;
  act: Help;
}

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
    case "workspace_full":
    case "too_many_entries":
      return { label: "Show it", act: "show" };
    case "link_escapes":
      return { label: "Open it", act: "open" };
    case "disk_full":
    case "server_disk_full":
    case "write_failed":
    case "file_unreadable":
      return { label: "Try again", act: "retry" };
    default:
      return null;
  }
}

export function undoneWords({ many: count, left }: Undone): string {
  const back = `${many(count, "file is", "files are")} as before.`;
  if (left.length === 0) return back;
  return `${back} ${many(left.length, "file was", "files were")} changed since and stay as they are.`;
}
