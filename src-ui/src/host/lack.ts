/** What is said while the server cannot be worked with: the same words wherever they stand. */
import type { ConnectionStatus } from "./connection";
import type { Code } from "./generated/api/Code";
import type { Failure } from "./ide";

export const NO_DATABASE: Code = "database_unavailable";

const AWAY = "The server does not answer";
const SILENT = "The server went silent and was given up";
const DATABASE = "The server has no database";
const FOREIGN = "What answers at the server's address is no Slipway server";
const LOCAL = "This workspace is only on this computer";
const SIGNED_OUT = "Nobody is signed in to a server";

/** In a word or two. */
export function lackWords(status: ConnectionStatus): string {
  if (status.state === "signed-out") return "Signed out";
  if (status.state === "local") return "Only on this computer";
  if (status.state === "not-slipway") return "No Slipway server answers";
  return status.state === "no-database" ? "Server has no database" : "Offline";
}

/** What to do about it, where somebody can do something; empty otherwise. */
export function lackHelp(status: ConnectionStatus): string {
  return status.state === "not-slipway"
    ? `${FOREIGN}. A network may ask for a sign-in of its own; else check the address. Your edits are kept here.`
    : "";
}

/** As a reason, without its full stop; null while nothing is lacking. */
export function lackOf(status: ConnectionStatus): string | null {
  if (status.state === "online") return null;
  if (status.state === "no-database") return DATABASE;
  if (status.state === "not-slipway") return FOREIGN;
  if (status.state === "signed-out") return SIGNED_OUT;
  if (status.state === "local") return LOCAL;
  return isAway(status) ? AWAY : "The server is not connected yet";
}

/** The same of a request that did not come through. */
export function lackIn(failure: Pick<Failure, "code">): string {
  return failure.code === NO_DATABASE ? DATABASE : AWAY;
}

/** Whether what is shown may be old. A first try that is under way is no news. */
export function isAway(status: ConnectionStatus): boolean {
  if (status.state === "no-database" || status.state === "not-slipway") return true;
  return "attempt" in status && status.attempt > 1;
}

/** What becomes of a request that nobody answers. */
export type Unanswered = "read" | "done" | "kept";

/** `read`: something was asked for; `done`: something was to be done; `kept`: it is done later, of its own accord. */
export function awayWords(what: Unanswered, silent = false): string {
  const lack = silent ? SILENT : AWAY;
  if (what === "read") return `${lack}.`;
  if (what === "kept") return `${lack}. Your edits are kept here.`;
  return silent
    ? `${lack}: nobody knows whether this was done. Look before you try again.`
    : `${lack}. Nothing was done.`;
}
