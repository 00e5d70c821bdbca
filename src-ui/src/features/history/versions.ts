/** The versions that the server has and those that this computer keeps, as one list. */
import type { Version } from "../../host/generated/api/Version";

/** A version; `here`: of this computer, which counts them by itself. */
export interface Past extends Version {
  here?: true;
}

/** Two clocks differ, and a save takes a while to the server. */
const SLACK_MS = 60_000;

/**
 * Newest first. What the server has of this computer's is shown as the server's; with `more` of the server's to come, what
 * is older than those that are there waits for them.
 */
export function joined(
  server: readonly Version[],
  here: readonly Version[],
  more: boolean,
): readonly Past[] {
  const rest = here
    .filter(
      (one) => !server.some((other) => has(other, one) && time(other) >= time(one) - SLACK_MS),
    )
    .map((one): Past => ({ ...one, here: true }));
  const all: Past[] = [];
  for (const version of server) {
    const older = rest.findIndex((one) => time(one) <= time(version));
    all.push(...rest.splice(0, older < 0 ? rest.length : older), version);
  }
  if (!more) all.push(...rest);
  return all.filter((one, at) => !one.here || isNews(one, all[at + 1]));
}

/** Under two names a file may have a version of one revision each, and here numbers are others than there. */
export function isSame(one: Past, other: Past): boolean {
  return one.revision === other.revision && one.path === other.path && one.here === other.here;
}

/** Whether a version has what another one has: a content that is kept, or none since it was deleted. */
export function has(version: Version, wanted: Version): boolean {
  if (!version.entry || !wanted.entry) return !version.entry && !wanted.entry;
  return version.kept && version.entry.hash === wanted.entry.hash;
}

/** This computer notes, too, what stood there before its first change. */
function isNews(version: Past, before: Past | undefined): boolean {
  return !before || version.from !== undefined || !has(before, version);
}

function time({ at }: Version): number {
  return Date.parse(at);
}
