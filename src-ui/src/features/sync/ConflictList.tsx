/** Files that both sides changed: each opens beside its other version. */
import { useBench, useStore } from "../../bench/bench";
import type { Conflict } from "../../host/generated/api/Conflict";
import type { Here } from "../../host/here";
import { fileIcon } from "../../ui/fileIcon";
import { Icon } from "../../ui/Icon";
import { conflictWords } from "./words";

export function ConflictList({ here }: { here: Here }) {
  const conflicts = useStore(here.store, (state) => state.conflicts);
  if (conflicts.length === 0) return null;
  return (
    <section aria-labelledby="sync-conflicts">
      <h3 className="sync-head" id="sync-conflicts">
        Conflicts <span className="count">{conflicts.length}</span>
      </h3>
      <ul>
        {conflicts.map((one) => (
          <Row key={one.copy} conflict={one} />
        ))}
      </ul>
    </section>
  );
}

function Row({ conflict }: { conflict: Conflict }) {
  const bench = useBench();
  const shown = useStore(bench.main, ({ view }) => (view?.kind === "conflict" ? view.copy : null));
  const { path, copy } = conflict;
  const name = path.slice(path.lastIndexOf("/") + 1);
  const folder = path.slice(0, -name.length - 1);
  return (
    <li>
      <button
        type="button"
        className={`btn-reset sync-row${shown === copy ? " is-selected" : ""}`}
        aria-current={shown === copy ? "true" : undefined}
        title={path}
        onClick={() => bench.enterConflict(copy)}
      >
        <Icon name={fileIcon(name)} className="faint" />
        <span className="sync-what">
          <span className="truncate">{name}</span>
          <span className="small muted truncate">
            {[folder, conflictWords(conflict)].filter(Boolean).join(" · ")}
          </span>
        </span>
        <Icon name="alert" className="warn" />
      </button>
    </li>
  );
}
