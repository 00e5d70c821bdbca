/** The way back to workspaces whose edits wait in this browser, while the server lists none. */
import { useEffect, useState } from "react";
import { Link } from "wouter";
import { useHost } from "../../host/useHost";
import { Icon } from "../../ui/Icon";
import { keptName } from "./keptName";

export function WaitingHere() {
  const { drafts, kept } = useHost();
  const [waiting, setWaiting] = useState<ReadonlyMap<string, number>>(new Map());
  useEffect(() => {
    drafts.waiting().then(setWaiting, () => undefined);
  }, [drafts]);
  if (waiting.size === 0) return null;
  return (
    <section className="ws-waiting" aria-labelledby="ws-waiting">
      <h2 id="ws-waiting" className="label">
        Edits wait here
      </h2>
      <p className="small muted">
        They are kept in this browser, and saved when their workspace is open and the server
        answers.
      </p>
      <ul className="set-list">
        {[...waiting].map(([workspace, files]) => (
          <li className="set-row" key={workspace}>
            <Icon name="arrow-up" className="warn" />
            <Link href={`/w/${workspace}`} className="grow medium truncate">
              {keptName(kept, workspace) || "A workspace"}
            </Link>
            <span className="small faint num">
              {files === 1 ? "1 file with edits" : `${files} files with edits`}
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}
