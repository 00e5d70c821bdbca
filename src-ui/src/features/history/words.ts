/** Versions in words: who wrote them, where they are kept, and on which day. */
import type { Version } from "../../host/generated/api/Version";
import { isOffline } from "../../host/ide";
import { lackIn } from "../../host/lack";
import { count, day } from "../../ui/words";
import type { HistoryState } from "./model";
import type { Past } from "./versions";

const DAY_MS = 24 * 3_600_000;

const ORIGINS: Record<Version["origin"]["kind"], { icon: string; word: string }> = {
  editor: { icon: "pencil", word: "Edited" },
  desktop: { icon: "monitor", word: "From a computer" },
  session: { icon: "terminal", word: "Written in a session" },
  upload: { icon: "upload", word: "Uploaded" },
  restore: { icon: "undo", word: "Restored" },
  template: { icon: "plus", word: "Came with the template" },
};

/** What this computer saw differs. */
const SEEN: Partial<typeof ORIGINS> = {
  desktop: { icon: "monitor", word: "Changed in the folder" },
  session: { icon: "arrow-down", word: "From the server" },
};

export function versionWords({ entry, from, previous, origin, here }: Past): {
  icon: string;
  word: string;
} {
  if (!entry) return { icon: "trash", word: "Deleted" };
  if (from) return { icon: "arrow-right", word: `Moved from ${from}` };
  const seen = here && SEEN[origin.kind];
  if (seen) return seen;
  // The oldest that this computer keeps may have been no beginning.
  if (!here && !previous && origin.kind === "editor") return { icon: "plus", word: "Created" };
  return ORIGINS[origin.kind];
}

/** Who keeps it, and as what. */
export function placeWords({ here, revision }: Past): string {
  return here ? "on this computer" : `revision ${count(revision)}`;
}

/** What the list lacks; null for nothing. */
export function lacking({ server, here }: Pick<HistoryState, "server" | "here">): string | null {
  if (server.failure && server.versions.length > 0)
    return "The server's versions as they were last seen";
  if (server.failure && isOffline(server.failure))
    return `${lackIn(server.failure)}. Its versions come when it is back.`;
  if (server.failure) return `The server's versions could not be read: ${server.failure.detail}`;
  if (here.failure) return `Those of this computer could not be read: ${here.failure.detail}`;
  return null;
}

/** What a file was called at a version, if otherwise than now: its name alone if it was in the same folder. */
export function formerName({ path: then }: Version, now: string): string | null {
  if (then === now) return null;
  const [before, here] = [then, now].map((path) => path.lastIndexOf("/") + 1) as [number, number];
  return then.slice(0, before) === now.slice(0, here) ? then.slice(before) : then;
}

/** Versions by the day on which they were made, the newest day first. */
export function byDay(versions: readonly Past[], now: number): { day: string; versions: Past[] }[] {
  const days: { day: string; versions: Past[] }[] = [];
  for (const version of versions) {
    const name = dayOf(version.at, now);
    const last = days.at(-1);
    if (last?.day === name) last.versions.push(version);
    else days.push({ day: name, versions: [version] });
  }
  return days;
}

function dayOf(at: string, now: number): string {
  const date = (time: number) => new Date(time).toDateString();
  if (date(Date.parse(at)) === date(now)) return "Today";
  if (date(Date.parse(at)) === date(now - DAY_MS)) return "Yesterday";
  return day(at);
}
