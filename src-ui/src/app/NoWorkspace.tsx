/** What an address shows that leads to no workspace of this person. */
import type { ReactNode } from "react";
import { Link } from "wouter";
import { TRASH_DAYS } from "../host/generated/limits";
import { useHost } from "../host/useHost";
import { Icon } from "../ui/Icon";

export function NoWorkspace({ start, end }: { start: ReactNode; end: ReactNode }) {
  const { desktop } = useHost();
  return (
    <div className="page">
      <header className="topbar">
        <div className="start">{start}</div>
        <div className="end">{end}</div>
      </header>
      <main className="empty">
        <Icon name="search" />
        <h1>
          {desktop ? "This workspace is not on this computer" : "This workspace is not there"}
        </h1>
        <p>
          {desktop
            ? "It was taken off the list. Open its folder again, or bring it from the server."
            : `It was deleted, or it belongs to somebody else. A deleted workspace stays in the trash for ${TRASH_DAYS} days.`}
        </p>
        <div className="actions">
          <Link href="/" className="btn btn-primary">
            Show all workspaces
          </Link>
        </div>
      </main>
    </div>
  );
}
