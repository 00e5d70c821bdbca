/** The list of keyboard shortcuts, made from the actions. */
import { useEffect, useRef } from "react";
import type { Action } from "./actions";
import "./palette.css";

export function Shortcuts({
  actions,
  onClose,
}: {
  actions: readonly Action[];
  onClose: () => void;
}) {
  const box = useRef<HTMLDialogElement>(null);
  useEffect(() => box.current?.showModal(), []);
  return (
    <dialog
      ref={box}
      className="palette shortcuts"
      aria-labelledby="shortcuts-title"
      onClose={onClose}
    >
      <h2 id="shortcuts-title">Keyboard shortcuts</h2>
      <dl>
        {actions
          .filter((action) => action.keys.length > 0)
          .map((action) => (
            <div key={action.id}>
              <dt>{action.title}</dt>
              <dd>
                <kbd className="kbd">{action.keys[0]}</kbd>
              </dd>
            </div>
          ))}
      </dl>
      <form method="dialog">
        <button type="submit" className="btn">
          Close
        </button>
      </form>
    </dialog>
  );
}
