/** One row of the tree. */
import type { CSSProperties, DragEvent, MouseEvent } from "react";
import { BADGES } from "../../bench/badge";
import type { Badge } from "../../bench/bench";
import { fileIcon } from "../../ui/fileIcon";
import { Icon } from "../../ui/Icon";
import { isLeftOut, nameOf } from "./names";
import type { Row } from "./tree";

export interface RowEvents {
  onPress(row: Row, event: MouseEvent): void;
  onPin(row: Row): void;
  onMenu(row: Row, event: MouseEvent): void;
  onDragStart(row: Row, event: DragEvent): void;
  onDragOver(row: Row, event: DragEvent): void;
  onDrop(row: Row, event: DragEvent): void;
}

export function TreeRow({
  row,
  top,
  badge,
  selected,
  current,
  faded,
  target,
  events,
}: {
  row: Row;
  top: number;
  badge: Badge | undefined;
  selected: boolean;
  current: boolean;
  faded: boolean;
  target: boolean;
  events: RowEvents;
}) {
  const leftOut = isLeftOut(row.path, row.kind === "folder");
  const state = badge ? BADGES[badge] : leftOut ? LEFT_OUT : null;
  const classes = [
    "tree-row explorer-row",
    selected ? "is-selected" : "",
    current ? "is-current" : "",
    faded || leftOut ? "is-ignored" : "",
    target ? "is-hover" : "",
  ];
  const style = { "--level": row.level, position: "absolute", top, left: 0, right: 0 };
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the tree itself takes the keys
    <div
      id={rowId(row.path)}
      role="treeitem"
      tabIndex={-1}
      aria-level={row.level + 1}
      aria-posinset={row.position}
      aria-setsize={row.siblings}
      aria-selected={selected}
      aria-expanded={row.kind === "folder" ? row.expanded : undefined}
      aria-label={state ? `${row.label}, ${state.word}` : row.label}
      className={classes.join(" ")}
      style={style as CSSProperties}
      title={row.path}
      draggable
      onDragStart={(event) => events.onDragStart(row, event)}
      onDragOver={(event) => events.onDragOver(row, event)}
      onDrop={(event) => events.onDrop(row, event)}
      onClick={(event) => events.onPress(row, event)}
      onDoubleClick={() => events.onPin(row)}
      onContextMenu={(event) => events.onMenu(row, event)}
    >
      {Array.from({ length: row.level }, (_, level) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a level is its index
        <i key={level} className="guide" style={{ left: 15 + level * 14 }} />
      ))}
      {row.kind === "folder" ? (
        <Icon name={row.expanded ? "chevron-down" : "chevron-right"} className="twisty" />
      ) : (
        <span className="twisty" />
      )}
      <Icon name={rowIcon(row)} />
      <span className="name">{row.label}</span>
      {state ? (
        <span className={`state ${state.tone}`} title={state.word}>
          <Icon name={state.icon} />
        </span>
      ) : null}
    </div>
  );
}

const LEFT_OUT = { icon: "ban", tone: "", word: "Stays out of sessions" };

export function rowId(path: string): string {
  return `tree-${encodeURIComponent(path)}`;
}

function rowIcon(row: Row): string {
  if (row.kind === "folder") return row.expanded ? "folder-open" : "folder";
  return row.kind === "symlink" ? "link" : fileIcon(nameOf(row.path));
}
