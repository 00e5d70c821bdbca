/** The names of workspaces as they were last seen, for as long as the server does not tell them. */
import type { Kept } from "../../host/host";

/** Empty when it was never seen here. */
export function keptName(kept: Kept, workspace: string): string {
  return kept.get(keyOf(workspace)) ?? "";
}

export function keepName(kept: Kept, workspace: string, name: string): void {
  kept.set(keyOf(workspace), name);
}

function keyOf(workspace: string): string {
  return `slipway.name.${workspace}`;
}
