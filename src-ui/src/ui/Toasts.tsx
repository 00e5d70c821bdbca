/** Short messages in the corner; they leave by themselves unless somebody is at them. */
import { useEffect, useState } from "react";
import { Icon } from "./Icon";
import type { ToastState } from "./popups";

const TOAST_MS = 8_000;
const ICON = { danger: "error", warn: "alert", ok: "check" } as const;

interface Props {
  toasts: readonly ToastState[];
  onClose: (id: number) => void;
}

export function Toasts({ toasts, onClose }: Props) {
  return (
    // Above a dialog, too, so that it is heard while one is open.
    <div className="toasts" role="status" aria-live="polite" data-react-aria-top-layer="true">
      {toasts.map((toast) => (
        <Toast key={toast.id} toast={toast} onClose={() => onClose(toast.id)} />
      ))}
    </div>
  );
}

function Toast({ toast, onClose }: { toast: ToastState; onClose: () => void }) {
  const [held, setHeld] = useState(false);
  useEffect(() => {
    if (held) return;
    const timer = setTimeout(onClose, TOAST_MS);
    return () => clearTimeout(timer);
  }, [held, onClose]);
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the pointer only keeps it from leaving
    <div
      className="toast"
      onPointerEnter={() => setHeld(true)}
      onPointerLeave={() => setHeld(false)}
      onFocus={() => setHeld(true)}
      onBlur={() => setHeld(false)}
    >
      <Icon name={toast.tone ? ICON[toast.tone] : "info"} className={toast.tone ?? "muted"} />
      <span className="grow">{toast.text}</span>
      {toast.action ? (
        <button
          type="button"
          className="btn btn-ghost btn-sm"
          onClick={() => {
            toast.action?.run();
            onClose();
          }}
        >
          {toast.action.label}
        </button>
      ) : null}
      <button
        type="button"
        className="btn btn-ghost btn-icon btn-sm"
        aria-label="Dismiss"
        onClick={onClose}
      >
        <Icon name="x" />
      </button>
    </div>
  );
}
