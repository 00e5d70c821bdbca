/** Names on this computer that no server takes, and that only the system's own programs can change. */
import { find } from "../../bench/actions";
import { Act } from "../../bench/Buttons";
import { useBench } from "../../bench/bench";
import { count } from "../../ui/words";

const SHOWN = 10;

export function OddNames({ names }: { names: readonly string[] }) {
  const bench = useBench();
  if (names.length === 0) return null;
  return (
    <section aria-labelledby="sync-odd">
      <h3 className="sync-head" id="sync-odd">
        Names that no server takes <span className="count">{count(names.length)}</span>
      </h3>
      <div className="sync-stand">
        <ul className="small sync-few">
          {names.slice(0, SHOWN).map((name) => (
            <li key={name} className="truncate" title={name}>
              {name}
            </li>
          ))}
          {names.length > SHOWN ? <li>and {count(names.length - SHOWN)} more</li> : null}
        </ul>
        <p className="small muted">
          Other systems cannot read or hold them, so they stay on this computer only. Rename them
          there.
        </p>
        <div>
          <Act action={find(bench.actions(), "sync.folder")} small>
            Show the folder
          </Act>
        </div>
      </div>
    </section>
  );
}
