/** What stands in place of the editor: what it is about, the way back, and its own keys and buttons. */
import type { ReactNode } from "react";
import { Icon } from "../ui/Icon";
import { useTakesFocus } from "../ui/useTakesFocus";
import { useBench } from "./bench";
import "./main-frame.css";

interface Props {
  /** The whole, for who does not see it. */
  label: string;
  icon: string;
  tone: "warn" | "muted";
  path: string;
  /** What about the file. */
  note: string;
  children: ReactNode;
}

export function MainFrame({ label, icon, tone, path, note, children }: Props) {
  const bench = useBench();
  const section = useTakesFocus<HTMLElement>();
  return (
    <section
      ref={section}
      tabIndex={-1}
      className="main-frame"
      aria-label={label}
      onKeyDown={(event) => {
        if (event.key !== "Escape" || event.defaultPrevented) return;
        // First out of an editor, which keeps Tab for itself; then back.
        if (event.target instanceof Element && event.target.closest(".monaco-editor"))
          section.current?.focus();
        else bench.leaveMain();
      }}
    >
      <header className="row gap3 main-title">
        <Icon name={icon} className={tone} />
        <h2 className="truncate" title={path}>
          {path.slice(path.lastIndexOf("/") + 1)}
        </h2>
        <span className="small muted num">{note}</span>
        <button
          type="button"
          className="btn btn-ghost btn-icon btn-sm push"
          aria-label="Back to the editor"
          title="Back to the editor (Escape)"
          onClick={() => bench.leaveMain()}
        >
          <Icon name="x" />
        </button>
      </header>
      {children}
    </section>
  );
}
