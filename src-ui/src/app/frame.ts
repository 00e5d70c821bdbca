/** What of the frame is open and how large, kept per workspace over a reload. */
import { createStore, type StoreApi } from "zustand/vanilla";
import type { PanelTab, SideView } from "../bench/bench";
import type { Kept } from "../host/host";

/** `turn` tells one box from the next: one that is being left must not be taken for it. */
export type Over = { kind: "palette"; start: string; turn: number } | { kind: "shortcuts" };

export interface FrameState {
  panelOpen: boolean;
  panelTab: PanelTab;
  panelHeight: number;
  sideOpen: boolean;
  side: SideView;
  sideWidth: number;
  chosenRun: string | null;
  /** The last output of a session that is over is shown instead of its end. */
  looking: boolean;
  /** What is open above the frame. */
  over: Over | null;
}

export const SIDE = { least: 180, most: 480, usual: 240 };
/** At this width the side bar lies over the editor; the style sheets say the same. */
const NARROW = "(max-width: 900px)";
const LOW = 800;

/** Only these are found again. */
type Lasting = Pick<
  FrameState,
  "panelOpen" | "panelTab" | "panelHeight" | "sideOpen" | "sideWidth"
>;

export function openFrame(
  kept: Kept,
  workspace: string,
): { store: StoreApi<FrameState>; stop: () => void } {
  const key = `slipway.frame.${workspace}`;
  const store = createStore<FrameState>(() => ({
    ...usual(),
    ...read(kept.get(key)),
    side: "explorer",
    chosenRun: null,
    looking: false,
    over: null,
  }));
  const narrow = matchMedia(NARROW);
  // Whether it stands beside the editor; a side bar over the editor is not there to stay.
  let beside = store.getState().sideOpen;
  const adapt = () => store.setState({ sideOpen: !narrow.matches && beside });
  adapt();
  const forget = store.subscribe((state) => {
    const { panelOpen, panelTab, panelHeight, sideWidth } = state;
    if (!narrow.matches) beside = state.sideOpen;
    const lasting: Lasting = { panelOpen, panelTab, panelHeight, sideOpen: beside, sideWidth };
    kept.set(key, JSON.stringify(lasting));
  });
  narrow.addEventListener("change", adapt);
  const stop = () => {
    forget();
    narrow.removeEventListener("change", adapt);
  };
  return { store, stop };
}

/** Whether the side bar lies over the editor instead of beside it. */
export function liesOver(): boolean {
  return matchMedia(NARROW).matches;
}

function usual(): Lasting {
  return {
    panelOpen: true,
    panelTab: "terminal",
    panelHeight: innerHeight < LOW ? 240 : 300,
    sideOpen: true,
    sideWidth: SIDE.usual,
  };
}

/** What was kept, as far as it makes sense here. */
function read(text: string | null): Partial<Lasting> {
  if (text === null) return {};
  try {
    const { panelOpen, panelTab, panelHeight, sideOpen, sideWidth } = JSON.parse(text);
    return {
      panelOpen: panelOpen !== false,
      panelTab: panelTab === "run" ? "run" : "terminal",
      panelHeight: within(panelHeight, 96, Math.max(96, innerHeight - 240), usual().panelHeight),
      sideOpen: sideOpen !== false,
      sideWidth: within(sideWidth, SIDE.least, SIDE.most, SIDE.usual),
    };
  } catch {
    return {};
  }
}

function within(value: unknown, least: number, most: number, otherwise: number): number {
  return typeof value === "number" ? Math.min(most, Math.max(least, value)) : otherwise;
}
