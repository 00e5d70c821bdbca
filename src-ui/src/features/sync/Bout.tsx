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
  const left = useTimeLeft(work);
  const { files, filesDone, bytes, bytesDone } = work;
  // Where there are no bytes, as in deletions, files are what there is to count.
  const [done, total] = bytes > 0 ? [bytesDone, bytes] : [filesDone, files];
  return (
    <div className="sync-bout late">
      <Progress label="Sync" done={done} total={total} />
      <p className="small faint num">
        {[counted ? filesWords(work) : "", bytesWords(work), left].filter(Boolean).join(" · ")}
      </p>
    </div>
  );
}

/** From what was seen of its pace. */
function useTimeLeft({ bytes, bytesDone }: Work): string {
  const now = useNow(NOW_MS);
  const begun = useRef({ at: now, done: bytesDone });
  const { at, done } = begun.current;
  const pace = (bytesDone - done) / (now - at);
  if (now - at < WATCHED_MS || pace <= 0) return "";
  const left = (bytes - bytesDone) / pace;
  return left < LONG_MS ? "" : `${roughly(left)} left`;
}
