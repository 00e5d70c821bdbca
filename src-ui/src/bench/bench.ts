/** Where the IDE's features meet: what one may ask of the others, without knowing them. */
import { createContext, useContext, useSyncExternalStore } from "react";
import type { StoreApi } from "zustand/vanilla";
import type { Run } from "../host/generated/api/Run";
import type { RunTarget } from "../host/generated/api/RunTarget";
import type { SyncPathState } from "../host/generated/api/SyncPathState";
import type { Here, HereState } from "../host/here";
import type { Host } from "../host/host";
import type { LiveWorkspace } from "../host/live";
import type { Popups } from "../ui/popups";
import type { Action } from "./actions";
import type { ServerClock } from "./clock";

export type { MenuEntry } from "../ui/popups";

export type PanelTab = "terminal" | "run";

export type Badge =
  | "unsaved"
  | "saving"
  | "waiting"
  | "failed"
  | "conflict"
  | "deleted"
  | "uploading"
  | SyncPathState;

/** The views of the side bar. */
export type SideView = "explorer" | "sync" | "history";

/** What stands in place of the editor. */
export type MainView = { kind: "conflict"; copy: string } | { kind: "history"; path: string };

/** Where a terminal runs: beside the files of this machine, or in the session. */
export type TerminalPlace = "here" | "session";

/** What helps a file that cannot be synced, in the explorer. */
export type Help = "rename" | "show";

/** What the status bar says of the editor. */
export interface EditorFacts {
  active: string | null;
  line: number;
  column: number;
  selected: number;
  language: string;
  ending: string;
  indent: string;
  badges: ReadonlyMap<string, Badge>;
  /** Size of the edits that wait for the server. */
  waitingBytes: number;
}

/** What is on its way to the server beside edits. */
export interface UploadFacts {
  paths: ReadonlySet<string>;
  bytesLeft: number;
}

export interface Bench extends Omit<Popups, "store" | "back"> {
  host: Host;
  live: LiveWorkspace;
  /** The server's time, which what it tells is measured by. */
  clock: ServerClock;
  /** All that can be done, as things stand now. */
  actions(): readonly Action[];
  editor: StoreApi<EditorFacts>;
  uploads: StoreApi<UploadFacts>;
  /** How each file stands, by path: what is edited, uploaded, and not in step. */
  badges: StoreApi<{ byPath: ReadonlyMap<string, Badge> }>;
  /** The workspace as this machine has it; null in a browser. */
  here: Here | null;
  /** What stands in place of the editor; null is the editor itself. */
  main: StoreApi<{ view: MainView | null }>;
  open(path: string, options?: { preview?: boolean; line?: number; focus?: boolean }): void;
  saveAll(): Promise<boolean>;
  moved(from: string, to: string): void;
  removed(path: string): void;
  showSide(view: SideView): void;
  /** The same, and the keys go there. */
  enterSide(view: SideView): void;
  /** Shows both versions of a file beside each other, to be made one. */
  showConflict(copy: string): void;
  /** The same, and the keys go there. */
  enterConflict(copy: string): void;
  /** Shows the versions of a file. */
  showHistory(path: string): void;
  /** The same, and the keys go there. */
  enterHistory(path: string): void;
  /** Goes back to the editor. */
  leaveMain(): void;
  helpWith(path: string, help: Help): void;
  showPanel(tab: PanelTab): void;
  hidePanel(): void;
  startSession(): Promise<void>;
  stopSession(): Promise<void>;
  restartSession(): Promise<void>;
  /** Where the shown one runs, unless it is said. */
  newTerminal(place?: TerminalPlace): Promise<void>;
  /** Puts a command line into a terminal, starting what it needs; runs it when asked to. */
  typeCommand(line: string, options?: { run: boolean }): Promise<void>;
  startRun(target: RunTarget): Promise<void>;
  /** The revision of the shown files at which a run began; null where that is not known. */
  startOf(run: Run): number | null;
  /** Shows a run with its output. */
  showRun(id: string): void;
  /** The same, and what is typed goes to its program. */
  enterRun(id: string): void;
}

export const BenchContext = createContext<Bench | null>(null);

export function useBench(): Bench {
  const bench = useContext(BenchContext);
  if (!bench) throw new Error("A part of the IDE is drawn outside of it.");
  return bench;
}

/** A part of what this machine knows of the workspace; `otherwise` where it has none, in a browser. */
export function useHere<P>(part: (state: HereState) => P, otherwise: P): P {
  const { here } = useBench();
  return useSyncExternalStore(here?.store.subscribe ?? never, () =>
    here ? part(here.state) : otherwise,
  );
}

function never(): () => void {
  return () => undefined;
}

/** A part of a store; draws again only when that part changes. */
export function useStore<T, P>(store: StoreApi<T>, part: (state: T) => P): P {
  return useSyncExternalStore(store.subscribe, () => part(store.getState()));
}
