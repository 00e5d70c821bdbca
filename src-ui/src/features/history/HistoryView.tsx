/** One version of a file held against the present, in place of the editor; restoring it adds a version. */
import type { ReactNode } from "react";
import { type Action, capsOf, find, hintOf } from "../../bench/actions";
import { useBench, useStore } from "../../bench/bench";
import { Icon } from "../../ui/Icon";
import { useTakesFocus } from "../../ui/useTakesFocus";
import { count, exactly, size, timeOfDay } from "../../ui/words";
import { changed, type FileHistory, type Side, textOf } from "./model";
import { versionWords } from "./words";
import "./history.css";

export interface HistoryProps {
  history: FileHistory;
  /** What can be done about it, as things stand now. */
  actions: () => Action[];
  /** Two texts beside each other, the older one first. */
  difference: (before: string, after: string) => ReactNode;
}

export function HistoryView({ history, actions, difference }: HistoryProps) {
  const bench = useBench();
  const state = useStore(history.store, (one) => one);
  const { version } = history;
  const section = useTakesFocus<HTMLElement>();
  const texts = [textOf(state.before), textOf(state.now)] as const;
  const [before, after] = texts;
  const sum = before !== null && after !== null ? changed(before, after) : null;
  const can = actions();
  return (
    <section
      ref={section}
      tabIndex={-1}
      className="history"
      aria-label={`History of ${history.path}`}
    >
      <div className="row gap3 history-title">
        <Icon name="history" className="muted" />
        <h2 className="truncate">{history.path.slice(history.path.lastIndexOf("/") + 1)}</h2>
        <span className="small muted">history</span>
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
      {version ? (
        <>
          <div className="row gap3 history-bar">
            <Tool action={find(can, "history.older")} />
            <Tool action={find(can, "history.newer")} />
            <span className="medium" title={exactly(version.at)}>
              {versionWords(version).word}, {timeOfDay(version.at)}
            </span>
            <span className="small faint num">revision {count(version.revision)}</span>
            {sum ? (
              <span className="small num" title="Lines that came and went since">
                <span className="ok">+{count(sum.added)}</span>{" "}
                <span className="danger">−{count(sum.removed)}</span>
                <span className="faint"> since</span>
              </span>
            ) : null}
            <span className="push row gap3">
              <Act action={find(can, "history.copy")} />
              <Act action={find(can, "history.restore")} primary />
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
        <div className="empty">
          <Icon name="history" />
          <h2>Choose a version at the side</h2>
        </div>
      )}
    </section>
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
    return <Words icon="cloud-off" title="This version cannot be shown now" text={state.problem} />;
  if (state.before === null || state.now === null)
    return (
      <div className="editor-wait late" role="status" aria-label="Reading both versions">
        <span className="skeleton" style={{ width: "38%" }} />
        <span className="skeleton" style={{ width: "52%" }} />
      </div>
    );
  if (state.before === "dropped")
    return (
      <Words
        icon="archive"
        title="This version is no longer kept"
        text="The history of a workspace has a bound; the oldest contents go first."
      />
    );
  if (state.before === "deleted")
    return (
      <Words icon="trash" title="The file was deleted here" text="Choose a version before it." />
    );
  if (before === null)
    return (
      <Words
        icon="box"
        title="Not a text"
        text={`This version has ${size(state.before.bytes.length)}, and can be restored.`}
      />
    );
  if (state.now !== "deleted" && after === before)
    return (
      <Words
        icon="check"
        title="The file is the same now"
        text="Nothing differs from this version."
      />
    );
  return <div className="history-diff">{difference(before, after ?? "")}</div>;
}

function Words({ icon, title, text }: { icon: string; title: string; text: string }) {
  return (
    <div className="empty history-words">
      <Icon name={icon} />
      <h3>{title}</h3>
      <p className="small">{text}</p>
    </div>
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

function Act({ action, primary = false }: { action: Action; primary?: boolean }) {
  return (
    <button
      type="button"
      className={`btn${primary ? " btn-primary" : ""}`}
      title={hintOf(action)}
      disabled={action.unavailable !== null}
      onClick={action.run}
    >
      <Icon name={action.icon} />
      {action.title}
    </button>
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
