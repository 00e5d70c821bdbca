/** The mark in the corner: the way back to all workspaces. */
import { Link } from "wouter";
import { Icon } from "../ui/Icon";

export function Brand() {
  return (
    <Link href="/" className="brand" aria-label="All workspaces" title="All workspaces">
      <Icon name="mark" className="accent" />
    </Link>
  );
}
