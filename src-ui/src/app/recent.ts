/** The files of a workspace in the order in which they were last looked at, as this window keeps them. */
import type { Kept } from "../host/host";

const MAX = 20;

export class Recent {
  private readonly key: string;

  constructor(
    private readonly kept: Kept,
    workspace: string,
  ) {
    this.key = `slipway.recent.${workspace}`;
  }

  paths(): readonly string[] {
    return (this.kept.get(this.key) ?? "").split("\n").filter(Boolean);
  }

  lookedAt(path: string): void {
    const others = this.paths().filter((one) => one !== path);
    this.kept.set(this.key, [path, ...others].slice(0, MAX).join("\n"));
  }
}
