/** What came in lately, each to be undone, and what a person was told. */
import { useRef } from "react";
import { useBench } from "../../bench/bench";
import type { Arrival } from "../../host/generated/api/Arrival";
import type { SyncNotice } from "../../host/generated/api/SyncNotice";
import type { Here } from "../../host/here";
import { Icon } from "../../ui/Icon";
import { isNowhere } from "../../ui/keepFocus";
import { exactly, many, timeOfDay } from "../../ui/words";
import { undoneWords } from "./words";

const SHOWN = 20;

export function Arrivals({ here, arrivals }: { here: Here; arrivals: readonly Arrival[] }) {
  const bench = useBench();
  const head = useRef<HTMLHeadingElement>(null);
  const undo = async ({ id }: Arrival) => {
    const from = document.activeElement;
    try {
      const undone = await here.undo(id);
      // The button goes with its row; the next one would take back more. Who has gone on meanwhile is left there.
      if (document.activeElement === from || isNowhere()) head.current?.focus();
      bench.toast({ text: undoneWords(undone) });
    } catch (error) {
      bench.failed(error, "Nothing was undone.");
    }
  };
  if (arrivals.length === 0) return null;
  return (
    <section aria-labelledby="sync-arrivals">
      <h3 ref={head} tabIndex={-1} className="sync-head" id="sync-arrivals">
        Came in
      </h3>
      <ul>
        {arrivals.slice(0, SHOWN).map((one) => (
          <li key={one.id} className="sync-row" title={one.paths.join("\n")}>
            <Icon name="arrow-down" className="faint" />
            <span className="sync-what">
              <span className="truncate">
                {one.many === 1 ? one.paths[0] : many(one.many, "file", "files and folders")}
              </span>
              <span className="small muted num" title={exactly(one.at)}>
                {timeOfDay(one.at)}
              </span>
            </span>
            <button
              type="button"
              className="btn btn-ghost btn-sm"
              aria-label={`Undo what came in at ${timeOfDay(one.at)}`}
              title="Takes it back, as an edit made here"
              onClick={() => void undo(one)}
            >
              <Icon name="undo" className="icon-sm" />
              Undo
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}

export function Notices({ notices }: { notices: readonly SyncNotice[] }) {
  const bench = useBench();
  if (notices.length === 0) return null;
  return (
    <section aria-labelledby="sync-notices">
      <h3 className="sync-head" id="sync-notices">
        Lately
      </h3>
      <ul>
        {notices.slice(0, SHOWN).map(({ at, message, path }) => (
          <li key={`${at} ${path}`} className="sync-row">
            <Icon name="info" className="faint" />
            <span className="sync-what">
              <span className="sync-said">{message}</span>
              <span className="small muted truncate">
                {timeOfDay(at)}
                {path ? (
                  <>
                    {" · "}
                    <button
                      type="button"
                      className="btn-reset sync-link"
                      onClick={() => bench.open(path)}
                    >
                      {path}
                    </button>
                  </>
                ) : null}
              </span>
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}
