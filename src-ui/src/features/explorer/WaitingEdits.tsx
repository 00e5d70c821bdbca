/** What waits for the server, below the tree: how much, that it is safe, and how to try again. */
import { useBench, useHere, useStore } from "../../bench/bench";
import { Icon } from "../../ui/Icon";
import { useNow } from "../../ui/useNow";
import { size } from "../../ui/words";

export function WaitingEdits() {
  const bench = useBench();
  const edits = useStore(
    bench.editor,
    (facts) => [...facts.badges.values()].filter((badge) => badge === "waiting").length,
  );
  const editBytes = useStore(bench.editor, (facts) => facts.waitingBytes);
  // In the desktop program edits are on the disk at once, and wait there.
  const sync = useHere((here) => here.sync, null);
  const count = sync ? (sync.state === "offline" ? sync.up : 0) : edits;
  const bytes = sync ? sync.up_bytes : editBytes;
  const status = useStore(bench.live.store, (state) => state.connection);
  const nextAt = "nextAt" in status ? status.nextAt : null;
  const waiting = count > 0 && nextAt !== null;
  const now = useNow(waiting ? 1_000 : 0);
  if (count === 0) return null;
  const tryNow = () => {
    bench.live.connection.retry();
    void bench.saveAll();
  };
  return (
    <section className="explorer-waiting" aria-label="Waiting edits">
      <div className="row">
        <span className="label">
          {count === 1 ? "1 edit waits here" : `${count} edits wait here`}
        </span>
        <span className="push faint small num">{size(bytes)}</span>
      </div>
      <p className="small muted">
        {count === 1
          ? "It is kept on this computer and saved by itself when the server answers."
          : "They are kept on this computer and saved by themselves when the server answers."}
      </p>
      <div className="row gap3">
        <button type="button" className="btn btn-sm" onClick={tryNow}>
          <Icon name="refresh" className="icon-sm" />
          Try now
        </button>
        {nextAt !== null ? (
          <span className="small faint num">
            next try in {Math.max(1, Math.ceil((nextAt - now) / 1000))} s
          </span>
        ) : null}
      </div>
    </section>
  );
}
