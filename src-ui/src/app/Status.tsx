/** The status bar: connection, sync, session, and where the caret is. Every item says its state in words. */
import { useRef } from "react";
import { type Action, entryOf, find, hintOf } from "../bench/actions";
import { useBench, useStore } from "../bench/bench";
import { briefWords, bytesWords, heldWords } from "../bench/syncWords";
import { SessionStatus } from "../features/session/SessionChip";
import type { Here } from "../host/here";
import { lackHelp } from "../host/lack";
import type { Work } from "../host/work";
import { Icon } from "../ui/Icon";
import { Progress } from "../ui/Progress";
import { useNow } from "../ui/useNow";
import { connectionWords, syncWords } from "./statusWords";
import type { Workbench } from "./workbench";

export function Status({ bench }: { bench: Workbench }) {
  const facts = useStore(bench.editor.facts, (state) => state);
  const [line, encoding] = ["editor.line", "editor.encoding"].map((id) =>
    find(bench.bench.actions(), id),
  ) as [Action, Action];
  return (
    <footer className="statusbar">
      <Connection />
      {bench.here ? <HereSync here={bench.here} /> : <Sync />}
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
          <Choice
            group="editor.indent."
            lead="Indent with "
            what="Indentation"
            value={facts.indent}
            detail
          />
          <button
            type="button"
            className="status-item btn-reset opt"
            title={encoding.title}
            onClick={encoding.run}
          >
            UTF-8
          </button>
          <Choice
            group="editor.ending."
            lead="End lines with "
            what="End of lines"
            value={facts.ending}
            detail
          />
          <Choice
            group="editor.language."
            lead="Read this file as "
            what="Language"
            value={facts.language}
          />
        </>
      ) : null}
    </footer>
  );
}

interface ChoiceProps {
  /** What the ids of the actions begin with. */
  group: string;
  /** What their titles begin with, which goes without saying here. */
  lead: string;
  what: string;
  value: string;
  detail?: boolean;
}

/** A value, and behind it the actions that change it. */
function Choice({ group, lead, what, value, detail }: ChoiceProps) {
  const bench = useBench();
  const open = (at: Element) => {
    const actions = bench.actions().filter((one) => one.id.startsWith(group));
    bench.menu(
      at,
      actions.map((one) => {
        const { icon: _, ...entry } = entryOf(one);
        return { ...entry, label: one.title.slice(lead.length) };
      }),
    );
  };
  return (
    <button
      type="button"
      className={`status-item btn-reset${detail ? " opt" : ""}`}
      aria-label={`${what}: ${value}`}
      aria-haspopup="menu"
      title={what}
      onClick={(event) => open(event.currentTarget)}
    >
      {value}
    </button>
  );
}

function Connection() {
  const { live, actions } = useBench();
  const status = useStore(live.store, (state) => state.connection);
  const now = useNow("nextAt" in status ? 500 : 0);
  const words = connectionWords(status, now);
  const online = status.state === "online";
  const signedOut = status.state === "signed-out";
  // What stands beside it says so already.
  if (status.state === "local") return null;
  return (
    <button
      type="button"
      className="status-item btn-reset"
      title={signedOut ? "Sign in" : online ? "The server answers" : lackHelp(status) || "Try now"}
      onClick={() => (signedOut ? find(actions(), "app.signIn").run() : live.connection.retry())}
    >
      <Icon
        name={signedOut ? "user" : online ? "cloud" : "cloud-off"}
        className={signedOut ? "faint" : online ? "ok" : "warn"}
      />
      <span>
        {words.text}
        {words.next ? <span className="wide"> · {words.next}</span> : null}
      </span>
    </button>
  );
}

/** In the desktop program: how the folder and the server stand; what can be done stands in the side bar. */
function HereSync({ here }: { here: Here }) {
  const bench = useBench();
  const brief = useStore(here.store, (state) => state.sync ?? state.workspace?.sync ?? null);
  const held = useStore(here.store, (state) => state.sync?.held?.many ?? 0);
  const work = useStore(here.store, (state) => state.work);
  // Texts that the disk refuses, or that changed there meanwhile, are nobody else's business.
  const failed = useStore(bench.editor, ({ badges }) =>
    [...badges.values()].some((badge) => badge === "failed" || badge === "conflict"),
  );
  if (failed) return <Sync />;
  if (!brief) return null;
  const { icon, tone, text } = held > 0 ? heldWords(held) : briefWords(brief, work);
  return (
    <button
      type="button"
      className="status-item btn-reset"
      title="Show sync"
      onClick={() => bench.enterSide("sync")}
    >
      <Icon name={icon} className={tone} />
      <span>{text}</span>
      {work && brief.state === "online" ? <Moving work={work} /> : null}
    </button>
  );
}

/** How far a long bout has come, beside whatever else is to be said. */
function Moving({ work }: { work: Work }) {
  const words = bytesWords(work);
  if (words === "") return null;
  return (
    <span className="status-work late">
      <Progress label="Sync" done={work.bytesDone} total={work.bytes} />
      <span className="wide">{words}</span>
    </span>
  );
}

function Sync() {
  const bench = useBench();
  const badges = useStore(bench.badges, ({ byPath }) => byPath);
  const waiting = useStore(bench.editor, (facts) => facts.waitingBytes);
  const uploads = useStore(bench.uploads, (facts) => facts);
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
