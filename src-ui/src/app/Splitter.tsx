/** An edge that is moved by pointer or arrow keys, without drawing anything else again. */
import { type KeyboardEvent, type PointerEvent, useRef } from "react";

const STEP = 24;

export function Splitter({
  label,
  edge,
  size,
  least,
  most,
  onSize,
}: {
  label: string;
  /** Which edge of its region it is; the region grows against it. */
  edge: "top" | "right";
  size: number;
  least: number;
  most: () => number;
  onSize: (size: number) => void;
}) {
  const drag = useRef<{ at: number; size: number } | null>(null);
  const upright = edge === "right";
  const set = (to: number) => onSize(Math.round(Math.max(least, Math.min(most(), to))));
  const placeOf = (event: PointerEvent) => (upright ? event.clientX : -event.clientY);
  const keys = (event: KeyboardEvent) => {
    const to = {
      [upright ? "ArrowRight" : "ArrowUp"]: size + STEP,
      [upright ? "ArrowLeft" : "ArrowDown"]: size - STEP,
      Home: least,
      End: most(),
    }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    set(to);
  };
  return (
    // biome-ignore lint/a11y/useSemanticElements: a rule cannot be moved
    <div
      className={`ide-splitter is-${edge}`}
      role="separator"
      aria-orientation={upright ? "vertical" : "horizontal"}
      aria-label={label}
      aria-valuenow={size}
      aria-valuemin={least}
      tabIndex={0}
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        drag.current = { at: placeOf(event), size };
      }}
      onPointerMove={(event) => {
        if (drag.current) set(drag.current.size + placeOf(event) - drag.current.at);
      }}
      onPointerUp={() => {
        drag.current = null;
      }}
      onKeyDown={keys}
    />
  );
}
