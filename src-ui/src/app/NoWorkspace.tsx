/** What an address shows that leads to no workspace of this person. */
import type { ReactNode } from "react";
import { Link } from "wouter";

export function NoWorkspace({ start, end }: { start: ReactNode; end: ReactNode }) {
  return (
    <div className="plain">
      <header className="topbar">
        <div className="start">{start}</div>
        <div className="end">{end}</div>
      </header>
      <main className="page-note">
        <h1>This workspace is not there</h1>
        <p className="muted">
          It was deleted, or it belongs to somebody else. A deleted workspace stays in the trash for
          30 days.
        </p>
        <Link href="/" className="btn btn-primary btn-lg">
          Show all workspaces
        </Link>
      </main>
    </div>
  );
}
