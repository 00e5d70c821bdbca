/** The session in the header and in the status bar: the same states, the same words. */
import { entryOf, find } from "../../bench/actions";
import { type Bench, type MenuEntry, useBench, useStore } from "../../bench/bench";
import { useServerNow } from "../../bench/clock";
import type { Session } from "../../host/generated/api/Session";
import { isAway } from "../../host/lack";
import { Icon } from "../../ui/Icon";
import { keep } from "./actions";
import { type Chip, chipOf, sightOf } from "./chip";
import "./session.css";

/** A start that takes longer than this can be cancelled from the status bar. */
const LONG_START_MS = 5_000;

function useChip(): { chip: Chip; session: Session | null; now: number } {
  const bench = useBench();
  const sight = useStore(bench.live.store, sightOf);
  const session = useStore(bench.live.store, (state) => state.session);
  const usage = useStore(bench.live.store, (state) => state.usage);
  const busy = session?.state === "requested" || session?.state === "provisioning";
  const moves = sight === "live" && session !== null && session.state !== "stopped";
  const now = useServerNow(!moves ? 0 : busy ? 100 : 1_000);
  const chip = chipOf(session, usage, now, session?.cpu_millis ?? 500, sight);
  return { chip, session, now };
}

export function SessionChip() {
  const bench = useBench();
  const { chip } = useChip();
  const connection = useStore(bench.live.store, (state) => state.connection);
  const away = connection.state !== "no-database" && isAway(connection);
  return (
    <button
      type="button"
      className="chip session-chip"
      aria-haspopup="menu"
      aria-label={away ? "Session: the server is offline" : `Session: ${chip.word} ${chip.detail}`}
      onClick={(event) => bench.menu(event.currentTarget, sessionMenu(bench))}
    >
      {away ? <Icon name="cloud-off" className="warn" /> : <Mark chip={chip} />}
      {away ? "Offline" : chip.word}{" "}
      {!away && chip.detail ? <span className="faint">{chip.detail}</span> : null}
    </button>
  );
}

export function SessionStatus() {
  const bench = useBench();
  const { chip, session, now } = useChip();
  const starting = session?.state === "requested" || session?.state === "provisioning";
  const long =
    starting && chip.tone === "busy" && now - Date.parse(session.created_at) > LONG_START_MS;
  return (
    <>
      <button
        type="button"
        className="status-item btn-reset"
        aria-haspopup="menu"
        onClick={(event) => bench.menu(event.currentTarget, sessionMenu(bench))}
      >
        <Mark chip={chip} />
        <span>
          {chip.status}
          {chip.memory ? (
            <span className="wide">
              {" · "}
              <span className={chip.tight ? "warn" : ""}>{chip.memory}</span>
              {` · ${chip.cpu}`}
            </span>
          ) : null}
        </span>
      </button>
      {long ? (
        <button
          type="button"
          className="status-item btn-reset accent"
          onClick={() => void bench.stopSession()}
        >
          Cancel start
        </button>
      ) : null}
      {chip.tone === "warn" ? (
        <button
          type="button"
          className="status-item btn-reset accent"
          onClick={() => void keep(bench, false)}
        >
          Keep running
        </button>
      ) : null}
    </>
  );
}

function Mark({ chip }: { chip: Chip }) {
  if (chip.tone === "busy") return <span className="spinner" />;
  if (chip.tone === "warn") return <Icon name="clock" className="warn" />;
  if (chip.tone === "danger") return <Icon name="error" className="danger" />;
  return <span className={chip.tone === "ok" ? "dot ok" : "dot ring faint"} />;
}

function sessionMenu(bench: Bench): (MenuEntry | null)[] {
  const actions = bench.actions();
  const entry = (id: string) => entryOf(find(actions, id));
  if (!bench.live.liveSession)
    return bench.live.state.session
      ? [entry("session.start"), null, entry("session.diagnostics")]
      : [entry("session.start")];
  return [
    entry("terminal.new"),
    entry("session.keep"),
    entry("session.protection"),
    null,
    entry("session.restart"),
    entry("session.stop"),
  ];
}
