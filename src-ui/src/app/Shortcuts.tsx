/** The list of keyboard shortcuts, made from the actions. */
import { Fragment, useRef } from "react";
import type { Action } from "../bench/actions";
import { OURS } from "../features/terminal/keys";
import { useModal } from "./modal";
import { Keys } from "./Palette";
import "./palette.css";

const GROUPS: readonly [string, readonly string[]][] = [
  ["Find", ["find"]],
  ["View", ["view", "panel"]],
  ["Files", ["file", "folder"]],
  ["Editor", ["editor", "trouble"]],
  ["Run", ["run", "session"]],
  ["Terminal", ["terminal"]],
];

export function Shortcuts({
  actions,
  onClose,
}: {
  actions: readonly Action[];
  onClose: () => void;
}) {
  const box = useRef<HTMLDialogElement>(null);
  const { close, closed } = useModal(box, onClose);
  const withKeys = actions.filter((action) => action.keys.length > 0);
  return (
    <dialog
      ref={box}
      className="palette shortcuts"
      aria-labelledby="shortcuts-title"
      onClose={closed}
    >
      <div className="row">
        <h2 id="shortcuts-title">Keyboard shortcuts</h2>
        <button type="button" className="btn push" onClick={close}>
          Close
        </button>
      </div>
      <p className="small faint">
        On a Mac, Command works as Ctrl does. In a terminal, keys belong to the program in it,
        except those that paste, {OURS.join(", ")} and everything with Ctrl+Shift.
      </p>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls */}
      <section className="shortcuts-list" tabIndex={0} aria-label="Shortcuts">
        {GROUPS.map(([title, kinds]) => (
          <div key={title} className="shortcuts-group">
            <h3 className="menu-head">{title}</h3>
            <dl>
              {withKeys
                .filter((action) => kinds.includes(action.id.split(".")[0] ?? ""))
                .map((action) => (
                  <div key={action.id}>
                    <dt>{action.title}</dt>
                    <dd>
                      {action.keys.map((chord, index) => (
                        <Fragment key={chord}>
                          {index > 0 ? <span className="faint small">or</span> : null}
                          <Keys chord={chord} />
                        </Fragment>
                      ))}
                    </dd>
                  </div>
                ))}
            </dl>
          </div>
        ))}
      </section>
    </dialog>
  );
}
