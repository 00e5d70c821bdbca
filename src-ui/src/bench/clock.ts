/** The server's time as seen from here: this computer's clock may be wrong, and what the server tells is its own. */

import type { Exchange } from "../host/ide";
import { useNow } from "../ui/useNow";
import { useBench } from "./bench";

/** A clock that moved by more than this was set; what was learnt before is worth nothing then. */
const SET_MS = 60_000;

export class ServerClock {
  private ahead: number | null = null;

  constructor(private readonly here: () => number) {}

  /** The time of an answer that just came: the least difference is the best guess, since answers take time. */
  heard(time: string | null): void {
    const difference = this.difference(time);
    if (difference === null) return;
    if (this.ahead !== null && difference > this.ahead + SET_MS) this.ahead = difference;
    else this.past(time);
  }

  /** A time that has passed on the server, however long ago: this clock is ahead by no more than the difference. */
  past(time: string | null): void {
    const difference = this.difference(time);
    if (difference !== null) this.ahead = Math.min(this.ahead ?? difference, difference);
  }

  private difference(time: string | null): number | null {
    const told = Date.parse(time ?? "");
    return Number.isNaN(told) ? null : this.here() - told;
  }

  /** How far this computer's clock is ahead. */
  get offset(): number {
    return this.ahead ?? 0;
  }

  now(): number {
    return this.here() - this.offset;
  }
}

/** The server's time, moving every `ms`; zero stands still. */
export function useServerNow(ms: number): number {
  const { clock } = useBench();
  return useNow(ms) - clock.offset;
}

/** The same exchange; the clock hears the time of every answer. */
export function heardBy(clock: ServerClock, exchange: Exchange): Exchange {
  return async (method, path, options) => {
    const answer = await exchange(method, path, options);
    clock.heard(answer.headers.get("date"));
    return answer;
  };
}
