/** Short messages in the corner; they leave by themselves unless somebody is at them. */
import { type RefObject, useEffect, useRef, useState } from "react";
import { Icon } from "./Icon";
import type { ToastState } from "./popups";

const TOAST_MS = 8_000;
/** Whoever comes by keys needs a while to get there. */
const ACTION_MS = 20_000;
const KINDS = ["keydown", "focusin", "pointerdown"] as const;
const PASSES = ["F6", "Tab"];
const HOLDS = ["Shift", "Control", "Alt", "Meta"];
const ICON = { danger: "error", warn: "alert", ok: "check" } as const;

interface Props {
  toasts: readonly ToastState[];
  onClose: (id: number) => void;
}

export function Toasts({ toasts, onClose }: Props) {
  const place = usePlace();
  return (
    // Above a dialog, too, so that it is heard while one is open. Only the new one is read.
    <div
      className="toasts"
      role="status"
      aria-live="polite"
      aria-atomic="false"
      data-react-aria-top-layer="true"
    >
      {toasts.map((toast) => (
        <Toast key={toast.id} toast={toast} place={place} onClose={() => onClose(toast.id)} />
      ))}
    </div>
  );
}

/** Where somebody was before they came here: what keys only pass through on the way is none of it. */
function usePlace(): RefObject<Element | null> {
  const place = useRef<Element | null>(null);
  useEffect(() => {
    let passing = false;
    const heard = (event: Event) => {
      if (event instanceof KeyboardEvent) {
        if (HOLDS.includes(event.key)) return;
        passing = PASSES.includes(event.key);
      } else if (event.type === "pointerdown") passing = false;
      const at = event.target;
      if (!passing && at instanceof Element && at !== document.body && !at.closest(".toasts"))
        place.current = at;
    };
    for (const kind of KINDS) addEventListener(kind, heard, true);
    return () => {
      for (const kind of KINDS) removeEventListener(kind, heard, true);
    };
  }, []);
  return place;
}

interface ToastProps {
  toast: ToastState;
  place: RefObject<Element | null>;
  onClose: () => void;
}

function Toast({ toast, place, onClose }: ToastProps) {
  const [held, setHeld] = useState(false);
  const from = useRef<Element | null>(null);
  const close = () => {
    onClose();
    // Whoever came by keys goes back to where they were; else to where they came through.
    for (const back of [place.current, from.current])
      if (back instanceof HTMLElement && back.getClientRects().length > 0) {
        back.focus();
        if (document.activeElement === back) return;
      }
  };
  useEffect(() => {
    if (held) return;
    const timer = setTimeout(onClose, toast.action ? ACTION_MS : TOAST_MS);
    return () => clearTimeout(timer);
  }, [held, onClose, toast]);
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
