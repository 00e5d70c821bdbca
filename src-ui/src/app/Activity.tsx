/** The views at the left edge; a view without a feature behind it has no button. */
import { type Action, find, hintOf } from "../bench/actions";
import { type SideView, useHere, useStore } from "../bench/bench";
import { isOver } from "../features/run/words";
import type { HereState } from "../host/here";
import { Icon } from "../ui/Icon";
import { many } from "../ui/words";
import type { Workbench } from "./workbench";

export const SIDES: Record<SideView, string> = {
  explorer: "Explorer",
  sync: "Sync",
  history: "History",
};

/** `side`: the view that is open. */
export function Activity({ bench, side }: { bench: Workbench; side: SideView | null }) {
  const going = useStore(bench.live.store, (state) => state.runs.some((run) => !isOver(run)));
  const waits = useHere(needsPerson, 0);
  const actions = bench.bench.actions();
  const runs = find(actions, "run.show");
  return (
    <nav className="activity" aria-label="Views">
      <View bench={bench} view="explorer" icon="copy" open={side} />
      {bench.here ? (
        <View bench={bench} view="sync" icon="refresh" open={side} waits={waits} />
      ) : null}
      <View bench={bench} view="history" icon="history" open={side} />
      <Item action={runs} label={going ? "Runs, one is going" : "Runs"} icon="play" />
      <span className="space" />
      <Item action={find(actions, "find.keys")} label="Keyboard shortcuts" icon="help" />
    </nav>
  );
}

interface ViewProps {
  bench: Workbench;
  view: SideView;
  icon: string;
  open: SideView | null;
  /** How many things in it wait for a person. */
  waits?: number;
}

/** Shows a view of the side bar, or closes it when it is the one that is shown. */
function View({ bench, view, icon, open, waits = 0 }: ViewProps) {
  const side = find(bench.bench.actions(), "view.side");
  const pressed = open === view;
  return (
    <button
      type="button"
      className={`item btn-reset${pressed ? " is-selected" : ""}`}
      aria-label={
        waits > 0
          ? `${SIDES[view]}, ${many(waits, "thing waits", "things wait")} for you`
          : SIDES[view]
      }
      aria-pressed={pressed}
      title={pressed ? hintOf({ ...side, title: SIDES[view] }) : SIDES[view]}
      onClick={() => (pressed ? side.run() : bench.bench.showSide(view))}
    >
      <Icon name={icon} />
      {waits > 0 ? <span className="count accent">{waits}</span> : null}
    </button>
  );
}

/** Conflicts, files that cannot move, deletions that are held. */
function needsPerson({ sync }: HereState): number {
  return sync ? sync.conflicts + sync.blocked + (sync.held ? 1 : 0) : 0;
}

function Item({ action, label, icon }: { action: Action; label: string; icon: string }) {
  return (
    <button
      type="button"
      className="item btn-reset"
      aria-label={label}
      title={hintOf({ ...action, title: label })}
      onClick={action.run}
    >
      <Icon name={icon} />
    </button>
  );
}
