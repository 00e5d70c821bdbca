/** How far what moves has come: a bar, how much of all, and how long it may take. */
import { useRef } from "react";
import { useStore } from "../../bench/bench";
import { bytesWords, filesWords } from "../../bench/syncWords";
import type { Here } from "../../host/here";
import type { Work } from "../../host/work";
import { Progress } from "../../ui/Progress";
import { useNow } from "../../ui/useNow";
import { roughly } from "../../ui/words";

const NOW_MS = 1_000;
/** What is over sooner moves nothing on the page. */
const SHOWN_MS = 900;
/** Before that a guess says nothing. */
const WATCHED_MS = 5_000;
/** What takes less is over before anybody has read it. */
const LONG_MS = 10_000;

/** Files are counted here where something more urgent is said above. */
export function Bout({ here, files }: { here: Here; files: boolean }) {
  const work = useStore(here.store, (state) => state.work);
  const moves = useStore(here.store, ({ sync }) => sync?.state === "online");
  return work && moves ? <Going work={work} counted={files} /> : null;
}

function Going({ work, counted }: { work: Work; counted: boolean }) {
  const { lasted, left } = usePace(work);
  if (lasted < SHOWN_MS) return null;
  const { files, filesDone, bytes, bytesDone } = work;
  // Where there are no bytes, as in deletions, files are what there is to count.
  const [done, total] = bytes > 0 ? [bytesDone, bytes] : [filesDone, files];
  return (
    <div className="sync-bout">
      <Progress label="Sync" done={done} total={total} />
      <p className="small faint num">
        {[counted ? filesWords(work) : "", bytesWords(work), left].filter(Boolean).join(" · ")}
      </p>
    </div>
  );
}

/** How long it has been watched, and what its pace meanwhile says of the rest. */
function usePace({ bytes, bytesDone }: Work): { lasted: number; left: string } {
  const now = useNow(NOW_MS);
  const begun = useRef({ at: now, done: bytesDone });
  const { at, done } = begun.current;
  const lasted = now - at;
  const rest = ((bytes - bytesDone) * lasted) / (bytesDone - done);
  const says = lasted >= WATCHED_MS && bytesDone > done && rest >= LONG_MS;
  return { lasted, left: says ? `${roughly(rest)} left` : "" };
}
