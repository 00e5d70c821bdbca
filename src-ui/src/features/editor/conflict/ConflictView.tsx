/** A conflict in place of the editor: three versions above, the one that comes of them below, or a choice of two. */
import { useState } from "react";
import { type Action, find, hintOf } from "../../../bench/actions";
import { useBench, useHere, useStore } from "../../../bench/bench";
import { Icon } from "../../../ui/Icon";
import { useTakesFocus } from "../../../ui/useTakesFocus";
import { Act } from "./Act";
import { Choose } from "./Choose";
import { Panes } from "./Panes";
import { conflictsOf } from "./plan";
import { Result } from "./Result";
import type { Resolver } from "./resolver";
import "./conflict.css";

interface Props {
  resolver: Resolver;
  /** What can be done about it, as things stand now. */
  actions: () => Action[];
}

export function ConflictView({ resolver, actions }: Props) {
  const { state, problem } = useStore(resolver.store, (one) => one);
  const [base, setBase] = useState(true);
  const section = useTakesFocus<HTMLElement>();
  return (
    <section
      ref={section}
      tabIndex={-1}
      className="merge"
      aria-label={`Conflict in ${resolver.conflict.path}`}
    >
      <Head resolver={resolver} actions={actions} base={base} onBase={setBase} />
      {problem ? (
        <div className="banner warn merge-problem" role="alert">
          <Icon name="alert" />
          <span>{problem}</span>
        </div>
      ) : null}
      {state === "merge" ? (
        <>
          <Panes resolver={resolver} base={base && resolver.conflict.base} />
          <Result resolver={resolver} actions={actions} />
        </>
      ) : null}
      {state === "choose" ? <Choose resolver={resolver} actions={actions} /> : null}
      {state === "loading" ? (
        <div className="editor-wait late" role="status" aria-label="Reading both versions">
          <span className="skeleton" style={{ width: "38%" }} />
          <span className="skeleton" style={{ width: "52%" }} />
        </div>
      ) : null}
      {state === "failed" ? (
        <div className="empty">
          <Icon name="error" />
          <h2>The versions could not be read</h2>
          <p>{problem}</p>
          <div className="actions">
            <button type="button" className="btn" onClick={() => void resolver.load()}>
              Try again
            </button>
          </div>
        </div>
      ) : null}
    </section>
  );
}

interface HeadProps extends Props {
  base: boolean;
  onBase: (shown: boolean) => void;
}

function Head({ resolver, actions, base, onBase }: HeadProps) {
  const bench = useBench();
  const { parts, current, state } = useStore(resolver.store, (one) => one);
  const { path, copy } = resolver.conflict;
  const all = useHere((here) => here.conflicts, []);
  const place = all.findIndex((one) => one.copy === copy) + 1;
  const many = conflictsOf(parts).length;
  const { left } = resolver;
  const can = actions();
  const merges = state === "merge";
  return (
    <header className="merge-head">
      <div className="row gap3 merge-title">
        <Icon name="merge" className="warn" />
        <h2 className="truncate" title={path}>
          {path.slice(path.lastIndexOf("/") + 1)}
        </h2>
        <span className="small muted num">
          {all.length > 1 ? `conflict ${place} of ${all.length}` : "conflict"}
        </span>
        <button
          type="button"
          className="btn btn-ghost btn-icon btn-sm push"
          aria-label="Back to the editor"
          title="Back to the editor"
          onClick={() => bench.leaveMain()}
        >
          <Icon name="x" />
        </button>
      </div>
      {merges ? (
        <div className="row gap3 merge-bar">
          <Tool action={find(can, "conflict.previous")} />
          <Tool action={find(can, "conflict.next")} />
          <span className="medium num" role="status">
            {many === 0 ? "Nothing touches" : `Change ${current + 1} of ${many}`}
          </span>
          <span className="muted num">{left > 0 ? `${left} left to decide` : "all decided"}</span>
          <span className="push row gap3">
            {resolver.conflict.base ? (
              <label className="row gap2 merge-base">
                <input
                  type="checkbox"
                  role="switch"
                  className="switch-box"
                  checked={base}
                  aria-checked={base}
                  onChange={(event) => onBase(event.target.checked)}
                />
                Base
              </label>
            ) : null}
            <Act action={find(can, "conflict.keepBoth")} />
            <Act action={find(can, "conflict.save")}>Save</Act>
            <Act action={find(can, "conflict.resolve")} primary={left === 0} />
          </span>
        </div>
      ) : null}
    </header>
  );
}

function Tool({ action }: { action: Action }) {
  return (
    <button
      type="button"
      className="btn btn-ghost btn-icon btn-sm"
      aria-label={action.title}
      title={hintOf(action)}
      disabled={action.unavailable !== null}
      onClick={action.run}
    >
      <Icon name={action.icon} />
    </button>
  );
}
