/** What only the desktop program can do for the page, and what it tells without being asked. */
import type { ConnectionStatus } from "./connection";
import type { Told } from "./generated/api/Told";

export interface DesktopHost {
  /** What the program tells, one after another; returns how to stop listening. */
  told(listener: (told: Told) => void): () => void;
  /** Lets the person choose a folder of this machine; null when they think better of it. */
  pickFolder(): Promise<string | null>;
  /** Shows a folder in the system's own program for files. */
  showFolder(path: string): void;
  /** The page has shown something: the program no longer doubts it. */
  painted(): void;
  /** Ends the program. */
  leave(): void;
}

/** What the program tells, on its way to who listens. What it tells before anybody does waits for the first. */
export class ToldLine {
  private early: Told[] | null = [];
  private readonly listeners = new Set<(told: Told) => void>();

  hear(told: Told): void {
    this.early?.push(told);
    for (const listener of this.listeners) listener(told);
  }

  listen(listener: (told: Told) => void): () => void {
    this.listeners.add(listener);
    const early = this.early ?? [];
    this.early = null;
    for (const told of early) listener(told);
    return () => this.listeners.delete(listener);
  }
}

type ToldConnection = Extract<Told, { told: "connection" }>;

/** A connection that the program keeps, and tells of. */
export class KeptConnection {
  status: ConnectionStatus = { state: "connecting", attempt: 0 };
  private attempt = 0;
  private readonly listeners = new Set<(status: ConnectionStatus) => void>();

  constructor(readonly retry: () => void) {}

  watch(listener: (status: ConnectionStatus) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  heard({ state, next_at }: ToldConnection): void {
    if (state === "waiting") this.attempt += 1;
    else if (state !== "connecting") this.attempt = 0;
    this.status = this.statusOf(state, next_at ?? 0);
    for (const listener of this.listeners) listener(this.status);
  }

  private statusOf(state: ToldConnection["state"], nextAt: number): ConnectionStatus {
    const { attempt } = this;
    switch (state) {
      case "idle":
        return { state: "signed-out" };
      case "connecting":
        return { state: "connecting", attempt: attempt + 1 };
      case "online":
        return { state: "online" };
      case "waiting":
        return { state: "waiting", attempt, nextAt };
      case "no_database":
        return { state: "no-database", nextAt };
      case "not_slipway":
        return { state: "not-slipway", nextAt };
    }
  }
}
