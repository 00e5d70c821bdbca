/** A button for an action: its words, its key in the tooltip, and why not when it cannot be done. */
import type { ReactNode } from "react";
import { type Action, hintOf } from "../../../bench/actions";

interface ActProps {
  action: Action;
  primary?: boolean;
  children?: ReactNode;
}

export function Act({ action, primary = false, children }: ActProps) {
  return (
    <button
      type="button"
      className={`btn${primary ? " btn-primary" : ""}`}
      title={hintOf(action)}
      disabled={action.unavailable !== null}
      onClick={action.run}
    >
      {children ?? action.title}
    </button>
  );
}
