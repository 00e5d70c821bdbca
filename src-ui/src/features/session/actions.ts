/** What can be done with the session. */
import { type Action, action } from "../../bench/actions";
import type { Bench } from "../../bench/bench";
import type { Session } from "../../host/generated/api/Session";
import { lackOf } from "../../host/lack";
import { diagnostics } from "./words";

export function sessionActions(bench: Bench): Action[] {
  const { live } = bench;
  const session = live.state.session;
  const going = live.liveSession;
  const lack = lackOf(live.state.connection);
  const absent = live.state.sessionTold
    ? "No session is running"
    : "Whether a session runs is not known yet";
  const none = lack ?? (going ? null : absent);
  const kept = going?.keep_until_done ?? false;
  return [
    action("session.start", "Start session", "play", () => void bench.startSession(), {
      unavailable: lack ?? (going ? "A session is running" : null),
    }),
    action("session.restart", "Restart session", "rotate", () => void bench.restartSession(), {
      unavailable: none,
    }),
    action(
      "session.keep",
      kept ? "Stop the session when idle" : "Keep the session until its programs end",
      "clock",
      () => void keep(bench, !kept),
      { unavailable: none },
    ),
    action(
      "session.protection",
      "Show what protects the session",
      "shield",
      () => going && void protections(bench, going),
      { unavailable: going ? null : absent },
    ),
    action(
      "session.diagnostics",
      "Copy the session's diagnostics",
      "copy",
      () => session && copyDiagnostics(bench, session),
      { unavailable: session ? null : "There was no session yet" },
    ),
    action("session.stop", "Stop session", "stop", () => void bench.stopSession(), {
      unavailable: none,
      danger: true,
    }),
  ];
}

/** Ends the countdown; with `untilDone` none begins while programs run. */
export async function keep(bench: Bench, untilDone: boolean): Promise<void> {
  try {
    await bench.live.calls.keepSession(untilDone);
    await bench.live.pullSession();
  } catch (error) {
    bench.failed(error);
  }
}

export function copyDiagnostics(bench: Bench, session: Session): void {
  bench.host.clipboard.write(diagnostics(session)).then(
    () => bench.toast({ text: "Diagnostics copied" }),
    () => bench.toast({ tone: "warn", text: "The browser did not let them be copied." }),
  );
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
