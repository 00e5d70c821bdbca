/** The status bar: connection, sync, session, and where the caret is. */

import { useBench, useStore } from "../bench/bench";
import { SessionStatus } from "../features/session/SessionChip";
import { Icon } from "../ui/Icon";
import type { Workbench } from "./workbench";

export function Status({ bench }: { bench: Workbench }) {
  const facts = useStore(bench.editor.facts, (state) => state);
  return (
    <footer className="statusbar">
      <Connection />
      <Sync />
      <SessionStatus />
      <span className="space" />
      {facts.line > 0 ? (
        <>
          <button
            type="button"
            className="status-item btn-reset"
            onClick={() => bench.editor.command("editor.action.gotoLine")}
          >
            Ln {facts.line}, Col {facts.column}
            {facts.selected > 0 ? ` (${facts.selected} selected)` : ""}
          </button>
          <span className="status-item opt">{facts.indent}</span>
          <span className="status-item opt">UTF-8</span>
          <span className="status-item opt">{facts.ending}</span>
          <span className="status-item">{facts.language}</span>
        </>
      ) : null}
    </footer>
  );
}

function Connection() {
  const { live } = useBench();
  const status = useStore(live.store, (state) => state.connection);
  if (status.state === "online")
    return (
      <span className="status-item">
        <Icon name="cloud" className="ok" /> Online
      </span>
    );
  const words =
    status.state === "waiting" && status.attempt > 1 ? "Offline – edits are kept" : "Connecting";
  return (
    <button
      type="button"
      className="status-item btn-reset"
      title="Try now"
      onClick={() => live.socket.retry()}
    >
      <Icon name="cloud-off" className="warn" /> {words}
    </button>
  );
}

function Sync() {
  const bench = useBench();
  const badges = useStore(bench.editor, (facts) => facts.badges);
  const count = (kind: string) => [...badges.values()].filter((badge) => badge === kind).length;
  const [conflicts, failed, waiting, saving] = [
    count("conflict"),
    count("failed"),
    count("waiting"),
    count("saving") + count("unsaved"),
  ];
  const say = (icon: string, tone: string, text: string) => (
    <button type="button" className="status-item btn-reset" onClick={() => void bench.saveAll()}>
      <Icon name={icon} className={tone} /> {text}
    </button>
  );
  if (conflicts > 0)
    return say("alert", "warn", conflicts === 1 ? "1 conflict" : `${conflicts} conflicts`);
  if (failed > 0)
    return say("error", "danger", failed === 1 ? "1 file not saved" : `${failed} files not saved`);
  if (waiting > 0)
    return say("arrow-up", "warn", waiting === 1 ? "1 edit waiting" : `${waiting} edits waiting`);
  if (saving > 0) return say("refresh", "accent", "Saving");
  return say("check", "ok", "Synced");
}
