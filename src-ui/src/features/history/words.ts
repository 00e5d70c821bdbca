/** Versions in words: who wrote them, and on which day. */
import type { Version } from "../../host/generated/api/Version";
import { day } from "../../ui/words";

const DAY_MS = 24 * 3_600_000;

const ORIGINS: Record<Version["origin"]["kind"], { icon: string; word: string }> = {
  editor: { icon: "pencil", word: "Edited" },
  desktop: { icon: "monitor", word: "From a computer" },
  session: { icon: "terminal", word: "Written in a session" },
  upload: { icon: "upload", word: "Uploaded" },
  restore: { icon: "undo", word: "Restored" },
  template: { icon: "plus", word: "Came with the template" },
};

export function versionWords({ entry, from, previous, origin }: Version): {
  icon: string;
  word: string;
} {
  const { icon, word } = ORIGINS[origin.kind];
  if (!entry) return { icon: "trash", word: "Deleted" };
  if (from) return { icon: "arrow-right", word: `Moved from ${from}` };
  if (!previous && origin.kind === "editor") return { icon: "plus", word: "Created" };
  return { icon, word };
}

/** What a file was called at a version, if otherwise than now: its name alone if it was in the same folder. */
export function formerName({ path: then }: Version, now: string): string | null {
  if (then === now) return null;
  const [before, here] = [then, now].map((path) => path.lastIndexOf("/") + 1) as [number, number];
  return then.slice(0, before) === now.slice(0, here) ? then.slice(before) : then;
}

/** Versions by the day on which they were made, the newest day first. */
export function byDay(
  versions: readonly Version[],
  now: number,
): { day: string; versions: Version[] }[] {
  const days: { day: string; versions: Version[] }[] = [];
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
