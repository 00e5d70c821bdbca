/** The session in the header and in the status bar: the same states, the same words. */
import { type Bench, type MenuEntry, useBench, useStore } from "../../bench/bench";
import type { Session } from "../../host/generated/api/Session";
import { failureOf } from "../../host/ide";
import { Icon } from "../../ui/Icon";
import { useNow } from "../../ui/useNow";
import { type Chip, chipOf } from "./chip";

function useChip(): { chip: Chip; session: Session | null } {
  const bench = useBench();
  const session = useStore(bench.live.store, (state) => state.session);
  const usage = useStore(bench.live.store, (state) => state.usage);
  const busy = session?.state === "requested" || session?.state === "provisioning";
  const now = useNow(busy ? 100 : session && session.state !== "stopped" ? 1_000 : 0);
  return { chip: chipOf(session, usage, now, session?.cpu_millis ?? 500), session };
}

export function SessionChip() {
  const bench = useBench();
  const { chip, session } = useChip();
  return (
    <button
      type="button"
      className="chip session-chip"
      aria-haspopup="menu"
      aria-label={`Session: ${chip.word} ${chip.detail}`}
      onClick={(event) => bench.menu(event.currentTarget, sessionMenu(bench, session))}
    >
      <Mark chip={chip} />
      {chip.word} {chip.detail ? <span className="faint">{chip.detail}</span> : null}
    </button>
  );
}

export function SessionStatus() {
  const bench = useBench();
  const { chip, session } = useChip();
  const idle = chip.tone === "warn";
  return (
    <>
      <button
        type="button"
        className={`status-item btn-reset${chip.tight ? " warn" : ""}`}
        onClick={(event) => bench.menu(event.currentTarget, sessionMenu(bench, session))}
      >
        <Mark chip={chip} />
        <span>{chip.status}</span>
      </button>
      {idle ? (
        <button
          type="button"
          className="status-item btn-reset accent"
          onClick={() => void keep(bench)}
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

async function keep(bench: Bench): Promise<void> {
  try {
    await bench.live.calls.keepSession(false);
    await bench.live.pullSession();
  } catch (error) {
    bench.toast({ tone: "danger", text: failureOf(error).detail });
  }
}

async function stop(bench: Bench): Promise<void> {
  try {
    await bench.live.calls.stopSession();
    await bench.live.pullSession();
  } catch (error) {
    bench.toast({ tone: "danger", text: failureOf(error).detail });
  }
}

export function sessionMenu(bench: Bench, session: Session | null): (MenuEntry | null)[] {
  const live = session && session.state !== "stopped" && session.state !== "failed";
  if (!live)
    return [{ label: "Start session", icon: "play", run: () => void bench.startSession() }];
  return [
    {
      label: "New terminal",
      icon: "terminal",
      keys: "Ctrl+Shift+`",
      run: () => void bench.newTerminal(),
    },
    {
      label: session.keep_until_done ? "Stop when idle" : "Keep until programs end",
      icon: "clock",
      run: () =>
        void bench.live.calls
          .keepSession(!session.keep_until_done)
          .then(() => bench.live.pullSession())
          .catch((error: unknown) =>
            bench.toast({ tone: "danger", text: failureOf(error).detail }),
          ),
    },
    { label: "What protects it", icon: "shield", run: () => void protections(bench, session) },
    null,
    {
      label: "Restart session",
      icon: "rotate",
      run: () => void stop(bench).then(() => bench.startSession()),
    },
    { label: "Stop session", icon: "stop", danger: true, run: () => void stop(bench) },
  ];
}

async function protections(bench: Bench, session: Session): Promise<void> {
  const rows = session.protections.map(
    (one) => `${one.active ? "✓" : "✗"} ${one.name}: ${one.detail}`,
  );
  await bench.choose({
    title: "What protects this session",
    text: rows.length > 0 ? rows.join("\n") : "The session has not told yet.",
    choices: [{ value: "close", label: "Close", primary: true }],
  });
}
