/** One version of a file held against the present, in place of the editor; restoring it adds a version. */
import type { ReactNode } from "react";
import { type Action, capsOf, find } from "../../bench/actions";
import { Act, Tool } from "../../bench/Buttons";
import { useStore } from "../../bench/bench";
import { MainFrame } from "../../bench/MainFrame";
import { Empty } from "../../ui/Empty";
import { Icon } from "../../ui/Icon";
import { Waiting } from "../../ui/Waiting";
import { count, exactly, size, timeOfDay } from "../../ui/words";
import { changed, type FileHistory, type Side, textOf } from "./model";
import { formerName, placeWords, versionWords } from "./words";
import "./history.css";

export interface HistoryProps {
  history: FileHistory;
  /** What can be done about it, as things stand now. */
  actions: () => Action[];
  /** Two texts beside each other, the older one first. */
  difference: (before: string, after: string) => ReactNode;
}

export function HistoryView({ history, actions, difference }: HistoryProps) {
  const state = useStore(history.store, (one) => one);
  const { version } = history;
  const texts = [textOf(state.before), textOf(state.now)] as const;
  const [before, after] = texts;
  const sum = before !== null && after !== null ? changed(before, after) : null;
  const can = actions();
  const was = version && formerName(version, history.path);
  return (
    <MainFrame
      label={`History of ${history.path}`}
      icon="history"
      tone="muted"
      path={history.path}
      note="history"
    >
      {version ? (
        <>
          <div className="row gap3 main-bar">
            <Tool action={find(can, "history.older")} />
            <Tool action={find(can, "history.newer")} />
            <span className="medium" role="status" title={exactly(version.at)}>
              {versionWords(version).word}, {timeOfDay(version.at)}
            </span>
            <span className="small faint num truncate" title={was ? version.path : undefined}>
              {placeWords(version)}
              {was ? `, was ${was}` : ""}
            </span>
            {sum ? (
              <span className="small num" title="Lines that came and went since">
                <span className="ok">+{count(sum.added)}</span>{" "}
                <span className="danger">−{count(sum.removed)}</span>
                <span className="faint"> since</span>
              </span>
            ) : null}
            <span className="push row gap3">
              <Marked action={find(can, "history.copy")} />
              <Marked action={find(can, "history.restore")} primary />
            </span>
          </div>
          <Body state={state} before={before} after={after} difference={difference} />
          <footer className="row gap3 history-foot small">
            <Icon name="info" className="icon-sm faint" />
            <span className="faint">
              Restore writes the old text as a new version. Nothing in between is removed.
            </span>
            <span className="push row gap2 faint">
              <Keys of={find(can, "history.older")} /> older{" "}
              <Keys of={find(can, "history.newer")} /> newer
            </span>
          </footer>
        </>
      ) : (
        <Empty icon="history" title="Choose a version at the side" grow />
      )}
    </MainFrame>
  );
}

interface BodyProps {
  state: { before: Side | null; now: Side | null; problem: string };
  before: string | null;
  after: string | null;
  difference: HistoryProps["difference"];
}

function Body({ state, before, after, difference }: BodyProps) {
  if (state.problem)
    return (
      <Empty grow icon="cloud-off" title="This version cannot be shown now" text={state.problem} />
    );
  if (state.before === null || state.now === null)
    return <Waiting place="main" label="Reading both versions" late />;
  if (state.before === "dropped")
    return (
      <Empty
        grow
        icon="archive"
        title="This version is no longer kept"
        text="The history of a workspace has a bound; the oldest contents go first."
      />
    );
  if (state.before === "deleted")
    return (
      <Empty
        grow
        icon="trash"
        title="The file was deleted here"
        text="Choose a version before it."
      />
    );
  if (before === null)
    return (
      <Empty
        grow
        icon="box"
        title="Not a text"
        text={`This version has ${size(state.before.bytes.length)}, and can be restored.`}
      />
    );
  if (state.now !== "deleted" && after === before)
    return (
      <Empty
        grow
        icon="check"
        title="The file is the same now"
        text="Nothing differs from this version."
      />
    );
  return <div className="history-diff">{difference(before, after ?? "")}</div>;
}

/** A button with the action's picture before its words. */
function Marked({ action, primary = false }: { action: Action; primary?: boolean }) {
  return (
    <Act action={action} primary={primary}>
      <Icon name={action.icon} />
      {action.title}
    </Act>
  );
}

function Keys({ of }: { of: Action }) {
  return (
    <span className="kbds" aria-hidden="true">
      {capsOf(of.keys[0] ?? "").map((cap) => (
        <span key={cap} className="kbd">
          {cap === "ArrowLeft" ? "←" : cap === "ArrowRight" ? "→" : cap}
        </span>
      ))}
    </span>
  );
}
