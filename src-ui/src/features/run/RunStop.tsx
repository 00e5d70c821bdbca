/** Stop, and what it has come to: interrupt, then terminate, then kill, by time or by asking again. */
import { useState } from "react";
import { useBench } from "../../bench/bench";
import type { Run } from "../../host/generated/api/Run";
import { Icon } from "../../ui/Icon";
import { useNow } from "../../ui/useNow";
import { stopRun } from "./actions";
import { stopWords } from "./words";

export function RunStop({ run }: { run: Run }) {
  const bench = useBench();
  const [asked, setAsked] = useState<{ times: number; since: number } | null>(null);
  const now = useNow(asked ? 500 : 0);
  const words = stopWords(asked?.times ?? 0, asked ? now - asked.since : 0);
  return (
    <>
      {words.state ? (
        <span className="small faint" role="status">
          {words.state}
        </span>
      ) : null}
      <button
        type="button"
        className="btn btn-sm"
        title="Interrupts; terminates after 5 s; kills after 5 s more"
        onClick={() => {
          setAsked({ times: (asked?.times ?? 0) + 1, since: bench.host.now() });
          void stopRun(bench, run.id);
        }}
      >
        <Icon name="stop" /> {words.next}
      </button>
    </>
  );
}
