/** What an address shows that leads nowhere. */
import type { ReactNode } from "react";
import { Link } from "wouter";
import { Icon } from "../ui/Icon";
import { Page } from "./Page";

export function NotFound({ end }: { end: ReactNode }) {
  return (
    <Page title="Not found" end={end}>
      <main className="empty">
        <Icon name="search" />
        <h1>There is nothing here</h1>
        <p>The address may be mistyped, or what it showed is gone.</p>
        <div className="actions">
          <Link href="/" className="btn btn-primary">
            Show the workspaces
          </Link>
        </div>
      </main>
    </Page>
  );
}
