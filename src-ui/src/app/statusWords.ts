/** What the status bar says of the connection and of unsaved edits. */
import type { Badge } from "../bench/bench";
import type { ConnectionStatus } from "../host/connection";
import { lackWords } from "../host/lack";
import { size } from "../ui/words";

/** Words for the connection, and behind them when it is tried again. */
export function connectionWords(
  status: ConnectionStatus,
  now: number,
): { text: string; next: string } {
  const kept = `${lackWords(status)} – edits are kept`;
  if (status.state === "online") return { text: "Online", next: "" };
  if (status.state === "idle") return { text: "Not connected", next: "" };
  if (status.state === "signed-out" || status.state === "local")
    return { text: lackWords(status), next: "" };
  if (status.state === "connecting")
    return status.attempt > 1 ? { text: kept, next: "trying" } : { text: "Connecting", next: "" };
  const seconds = Math.max(1, Math.ceil((status.nextAt - now) / 1000));
  // A try that is under way may wait long for a server that takes it and says nothing.
  const due = status.nextAt <= now;
  return !("attempt" in status) || status.attempt > 1
    ? { text: kept, next: due ? "trying" : `next try in ${seconds} s` }
    : { text: due ? "Reconnecting" : `Reconnecting in ${seconds} s`, next: "" };
}

export interface SyncWords {
  icon: string;
  tone: "ok" | "accent" | "warn" | "danger";
  text: string;
  /** Left out where there is no room. */
  detail?: string;
  hint: string;
  /** Files that need the person, opened one after the other; empty: saving again is all there is to do. */
  paths: readonly string[];
}

/** Bytes that are not on the server yet. */
export interface Backlog {
  waiting: number;
  uploading: number;
}

/** The worst state of all open files and uploads. */
export function syncWords(
  badges: ReadonlyMap<string, Badge>,
  bytes: Backlog = { waiting: 0, uploading: 0 },
): SyncWords {
  const of = (...kinds: Badge[]) =>
    [...badges].filter(([, badge]) => kinds.includes(badge)).map(([path]) => path);
  const count = (paths: readonly string[], one: string, many: string) =>
    `${paths.length} ${paths.length === 1 ? one : many}`;
  const conflicts = of("conflict");
  if (conflicts.length > 0)
    return {
      icon: "alert",
      tone: "warn",
      text: count(conflicts, "conflict", "conflicts"),
      hint: "Open the file and choose",
      paths: conflicts,
    };
  const failed = of("failed");
  if (failed.length > 0)
    return {
      icon: "error",
      tone: "danger",
      text: count(failed, "file not saved", "files not saved"),
      hint: "Open the file that is not saved",
      paths: failed,
    };
  const waiting = of("waiting");
  if (waiting.length > 0)
    return {
      icon: "arrow-up",
      tone: "warn",
      text: count(waiting, "edit waiting", "edits waiting"),
      detail: bytes.waiting > 0 ? size(bytes.waiting) : "",
      hint: "They are kept here and saved by themselves; click to try now",
      paths: [],
    };
  const uploading = of("uploading");
  if (uploading.length > 0)
    return {
      icon: "refresh",
      tone: "accent",
      text: `${uploading.length} uploading`,
      detail: size(bytes.uploading),
      hint: "Uploads go on in the explorer",
      paths: [],
    };
  const moving = of("saving", "unsaved");
  if (moving.length > 0)
    return { icon: "refresh", tone: "accent", text: "Saving", hint: "Save now", paths: [] };
  return {
    icon: "check",
    tone: "ok",
    text: "Synced",
    hint: "Everything is on the server",
    paths: [],
  };
}
