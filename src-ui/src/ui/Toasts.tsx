/** Short messages in the corner; they leave by themselves unless somebody is at them. */
import { useEffect, useRef, useState } from "react";
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
  const from = useRef<Element | null>(null);
  const close = () => {
    onClose();
    // Whoever came by keys goes back to where they were.
    if (from.current instanceof HTMLElement) from.current.focus();
  };
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
      onFocus={(event) => {
        setHeld(true);
        if (!event.currentTarget.contains(event.relatedTarget)) from.current = event.relatedTarget;
      }}
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
            close();
          }}
        >
          {toast.action.label}
        </button>
      ) : null}
      <button
        type="button"
        className="btn btn-ghost btn-icon btn-sm"
        aria-label="Dismiss"
        onClick={close}
      >
        <Icon name="x" />
      </button>
    </div>
  );
}
