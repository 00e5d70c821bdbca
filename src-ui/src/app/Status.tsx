/** The status bar: connection, sync, session, and where the caret is. Every item says its state in words. */
import { useRef } from "react";
import { find, hintOf } from "../bench/actions";
import { type Badge, useBench, useStore } from "../bench/bench";
import { SessionStatus } from "../features/session/SessionChip";
import { Icon } from "../ui/Icon";
import { useNow } from "../ui/useNow";
import { connectionWords, syncWords } from "./statusWords";
import type { Workbench } from "./workbench";

export function Status({ bench }: { bench: Workbench }) {
  const facts = useStore(bench.editor.facts, (state) => state);
  const line = find(bench.bench.actions(), "editor.line");
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
            title={hintOf(line)}
            onClick={line.run}
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
  const now = useNow(status.state === "waiting" ? 500 : 0);
  const words = connectionWords(status, now);
  const online = status.state === "online";
  return (
    <button
      type="button"
      className="status-item btn-reset"
      title={online ? "The server answers" : "Try now"}
      onClick={() => live.socket.retry()}
    >
      <Icon name={online ? "cloud" : "cloud-off"} className={online ? "ok" : "warn"} />
      <span>
        {words.text}
        {words.next ? <span className="wide"> · {words.next}</span> : null}
      </span>
    </button>
  );
}

function Sync() {
  const bench = useBench();
  const edits = useStore(bench.editor, (facts) => facts.badges);
  const waiting = useStore(bench.editor, (facts) => facts.waitingBytes);
  const uploads = useStore(bench.uploads, (facts) => facts);
  const badges = new Map<string, Badge>([...uploads.paths].map((path) => [path, "uploading"]));
  for (const [path, badge] of edits) badges.set(path, badge);
  const words = syncWords(badges, { waiting, uploading: uploads.bytesLeft });
  // The next of several, each time it is asked for.
  const turn = useRef(0);
  const act = () => {
    const path = words.paths[turn.current % Math.max(1, words.paths.length)];
    turn.current += 1;
    if (path) bench.open(path);
    else void bench.saveAll();
  };
  return (
    <button type="button" className="status-item btn-reset" title={words.hint} onClick={act}>
      <Icon name={words.icon} className={words.tone} />
      <span>
        {words.text}
        {words.detail ? <span className="wide"> · {words.detail}</span> : null}
      </span>
    </button>
  );
}
