/** A conflict in place of the editor: three versions above, the one that comes of them below, or a choice of two. */
import { useState } from "react";
import { type Action, find } from "../../../bench/actions";
import { Act, Tool } from "../../../bench/Buttons";
import { useHere, useStore } from "../../../bench/bench";
import { MainFrame } from "../../../bench/MainFrame";
import { Empty } from "../../../ui/Empty";
import { Icon } from "../../../ui/Icon";
import { Waiting } from "../../../ui/Waiting";
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
  const { path, copy } = resolver.conflict;
  const all = useHere((here) => here.conflicts, []);
  const place = all.findIndex((one) => one.copy === copy) + 1;
  return (
    <MainFrame
      label={`Conflict in ${path}`}
      icon="merge"
      tone="warn"
      path={path}
      note={all.length > 1 ? `conflict ${place} of ${all.length}` : "conflict"}
    >
      {state === "merge" ? (
        <Bar resolver={resolver} actions={actions} base={base} onBase={setBase} />
      ) : null}
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
      {state === "loading" ? <Waiting place="main" label="Reading both versions" late /> : null}
      {state === "failed" ? (
        <Empty
          icon="error"
          title="The versions could not be read"
          text={problem}
          grow
          actions={
            <button type="button" className="btn" onClick={() => void resolver.load()}>
              Try again
            </button>
          }
        />
      ) : null}
    </MainFrame>
  );
}

interface BarProps extends Props {
  base: boolean;
  onBase: (shown: boolean) => void;
}

/** From change to change, and what is done with the whole. */
function Bar({ resolver, actions, base, onBase }: BarProps) {
  const { parts, current } = useStore(resolver.store, (one) => one);
  const many = conflictsOf(parts).length;
  const { left } = resolver;
  const can = actions();
  return (
    <div className="row gap3 main-bar">
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
  );
}
