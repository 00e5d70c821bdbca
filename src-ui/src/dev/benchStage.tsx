/** Where tests put a part of the IDE up: on the fake desktop program, with a bench that notes what is asked of it. */
import type { ReactNode } from "react";
import { createStore } from "zustand/vanilla";
import type { Action } from "../bench/actions";
import { type Bench, BenchContext } from "../bench/bench";
import { type FakeHost, type FakeState, fakeHost } from "../host/fake";
import { Here } from "../host/here";
import { IdeCalls } from "../host/ide";
import { LiveWorkspace } from "../host/live";

export interface BenchScene {
  host: FakeHost;
  here: Here;
  live: LiveWorkspace;
  bench: Bench;
  /** What was asked of other features, in order. */
  asked: string[];
  around: (part: ReactNode) => ReactNode;
}

/** The first workspace of the fake's computer, or another one. */
export async function benchScene(
  state: FakeState = "full",
  actions: readonly Action[] = [],
  at = 0,
): Promise<BenchScene> {
  const host = fakeHost(state, true);
  const { program, desktop } = host;
  if (!program || !desktop) throw new Error("The fake has no desktop program.");
  const id = program.workspaces[at]?.id ?? "";
  const live = new LiveWorkspace(new IdeCalls(host.exchange, id), host);
  const here = new Here(host.exchange, id, desktop);
  here.open();
  await Promise.all([live.pullFiles(), here.pullSync(), here.pullWorkspace()]);
  const isKnown = here.state.workspace?.remote !== undefined;
  live.store.setState({ connection: isKnown ? host.connection.status : { state: "local" } });
  const asked: string[] = [];
  const note =
    (what: string) =>
    (...rest: unknown[]) => {
      asked.push([what, ...rest.filter((one) => typeof one === "string")].join(" "));
    };
  const bench = {
    host,
    live,
    here,
    main: createStore(() => ({ view: null })),
    editor: createStore(() => ({ active: null, badges: new Map() })),
    badges: createStore(() => ({ byPath: new Map() })),
    actions: () => actions,
    open: note("open"),
    showConflict: note("conflict"),
    enterConflict: note("into conflict"),
    showHistory: note("history"),
    enterHistory: note("into history"),
    showSide: note("side"),
    enterSide: note("enter"),
    leaveMain: note("leave"),
    helpWith: note("help"),
    toast: ({ text }: { text: string }) => asked.push(`toast ${text}`),
    failed: note("failed"),
    saveAll: async () => true,
  } as unknown as Bench;
  const around = (part: ReactNode) => <BenchContext value={bench}>{part}</BenchContext>;
  return { host, here, live, bench, asked, around };
}
