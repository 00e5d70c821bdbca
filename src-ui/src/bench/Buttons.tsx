/** Buttons for actions: their words or their picture, their keys in the tooltip, and why not when they cannot be done. */
import type { ReactNode } from "react";
import { Icon } from "../ui/Icon";
import { type Action, hintOf } from "./actions";

interface ActProps {
  action: Action;
  primary?: boolean;
  /** In a side bar, with the action's picture. */
  small?: boolean;
  /** Instead of the action's own title. */
  children?: ReactNode;
}

/** A button with words. */
export function Act({ action, primary = false, small = false, children }: ActProps) {
  return (
    <button
      type="button"
      className={`btn${primary ? " btn-primary" : ""}${small ? " btn-sm" : ""}`}
      title={hintOf(action)}
      {...whenItCan(action)}
    >
      {small ? <Icon name={action.icon} className="icon-sm" /> : null}
      {children ?? action.title}
    </button>
  );
}

/** A button with the action's picture alone. */
export function Tool({ action }: { action: Action }) {
  return (
    <button
      type="button"
      className="btn btn-ghost btn-icon btn-sm"
      aria-label={action.title}
      title={hintOf(action)}
      {...whenItCan(action)}
    >
      <Icon name={action.icon} />
    </button>
  );
}

/** What cannot be done now stays where it is: disabled, a button would lose the focus with what it did itself. */
function whenItCan({ unavailable, run }: Action) {
  return { "aria-disabled": unavailable !== null, onClick: unavailable === null ? run : undefined };
}
