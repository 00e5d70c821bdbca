/** A button whose work takes a moment: it turns meanwhile, is pressed once, and keeps the focus. */
import type { ButtonHTMLAttributes } from "react";

interface Props extends ButtonHTMLAttributes<HTMLButtonElement> {
  type: "submit" | "button";
  busy: boolean;
}

export function BusyButton({ busy, onClick, children, ...native }: Props) {
  return (
    <button
      {...native}
      // Disabled, it would lose the focus.
      aria-disabled={busy}
      onClick={(event) => {
        if (busy) event.preventDefault();
        else onClick?.(event);
      }}
    >
      {busy ? <span className="spinner" aria-hidden="true" /> : null}
      {children}
    </button>
  );
}
