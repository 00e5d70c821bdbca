/** The memory of one session over its life, as its usage events told it: the curve that explains an end. */
import { createStore } from "zustand/vanilla";

export interface Sample {
  /** The server's time. */
  at: number;
  bytes: number;
}

export interface MemoryState {
  session: string | null;
  limitBytes: number;
  samples: readonly Sample[];
}

/** Half an hour at one every two seconds; older ones leave. */
const SAMPLES_MAX = 900;

export class MemoryHistory {
  readonly store = createStore<MemoryState>(() => ({ session: null, limitBytes: 0, samples: [] }));

  heard(session: string, bytes: number, limitBytes: number, at: number): void {
    const state = this.store.getState();
    const before = state.session === session ? state.samples : [];
    const samples = [...before.slice(-(SAMPLES_MAX - 1)), { at, bytes }];
    this.store.setState({ session, limitBytes, samples });
  }
}

/** The part of a curve that is worth showing: between two times, up to its highest, and only if it has a shape. */
export function curveOf(
  state: MemoryState,
  session: string | undefined,
  since: number,
  until: number,
): readonly Sample[] {
  if (!session || state.session !== session) return [];
  const samples = state.samples.filter((one) => one.at >= since && one.at <= until);
  if (samples.length < 3) return [];
  // What was freed by an end is no part of the way to it.
  const highest = Math.max(...samples.map((one) => one.bytes));
  return samples.slice(0, samples.findIndex((one) => one.bytes === highest) + 1);
}
