/** The side bar of the list: where workspaces stand, with how many, and how much they take. */
import type { Workspace } from "../../host/generated/api/Workspace";
import { Icon } from "../../ui/Icon";
import { count, size } from "../../ui/words";
import type { Shelf } from "./list";

const SHELVES: [Shelf, string, string][] = [
  ["all", "All", "list"],
  ["session", "With a session", "activity"],
  ["archived", "Archived", "archive"],
  ["trash", "Trash", "trash"],
];

interface Props {
  shelf: Shelf;
  /** Whether it lies over a narrow page. */
  open: boolean;
  rows: (shelf: Shelf) => readonly Workspace[] | undefined;
  onChoose: (shelf: Shelf) => void;
}

export function Shelves({ shelf, open, rows, onChoose }: Props) {
  const all = [...(rows("all") ?? []), ...(rows("archived") ?? [])];
  const bytes = all.reduce((sum, row) => sum + row.bytes, 0);
  return (
    <nav className={`side page-side${open ? " is-open" : ""}`} aria-label="Filters">
      <div className="side-head">
        <span className="label">Workspaces</span>
      </div>
      <ul>
        {SHELVES.map(([value, label, icon]) => (
          <li key={value}>
            <button
              type="button"
              className={`btn-reset side-row${shelf === value ? " is-selected" : ""}`}
              aria-current={shelf === value ? "true" : undefined}
              onClick={() => onChoose(value)}
            >
              <Icon name={icon} />
              <span className="grow">{label}</span>
              <span className="small faint num">{counted(rows(value))}</span>
            </button>
          </li>
        ))}
      </ul>
      {rows("all") ? (
        <div className="page-foot">
          <span className="muted">On the server</span>
          <span className="push faint num">{size(bytes)}</span>
        </div>
      ) : null}
    </nav>
  );
}

function counted(rows: readonly Workspace[] | undefined): string {
  return rows ? count(rows.length) : "";
}
