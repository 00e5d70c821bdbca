/** What the list says in words: times, sizes, sessions. */
import type { Workspace } from "../../host/generated/api/Workspace";

/** How long ago, in the largest unit that fits. */
export function ago(at: string, now: number): string {
  const minutes = Math.floor((now - new Date(at).getTime()) / 60_000);
  if (minutes < 1) return "now";
  if (minutes < 60) return `${minutes} min ago`;
  if (minutes < 48 * 60) return `${Math.floor(minutes / 60)} h ago`;
  return `${Math.floor(minutes / (24 * 60))} days ago`;
}

/** Bytes in a unit that people read. */
export function size(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  if (bytes < 1024 * 1024) return `${(bytes / 1024).toFixed(1)} KB`;
  return `${(bytes / (1024 * 1024)).toFixed(1)} MB`;
}

/** What a row says of the workspace's session. */
export function sessionWords(workspace: Workspace): string {
  const session = workspace.session;
  switch (session?.state) {
    case undefined:
    case "stopped":
      return "–";
    case "requested":
    case "provisioning":
      return "Starting";
    case "ready":
      return "Running";
    case "idle":
      return "Idle, stops soon";
    case "stopping":
      return "Stopping";
    case "failed":
      return session?.reason ?? "Failed";
  }
}
