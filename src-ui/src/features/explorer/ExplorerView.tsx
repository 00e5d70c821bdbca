/** The explorer: a windowed tree with keyboard, inline names, drag, drop and a menu. */
import { type DragEvent, type KeyboardEvent, useEffect, useMemo, useRef, useState } from "react";
import { type Action, entryOf, find, hintOf } from "../../bench/actions";
import { type Badge, type Bench, type MenuEntry, useBench, useStore } from "../../bench/bench";
import { fileIcon } from "../../ui/fileIcon";
import { Icon } from "../../ui/Icon";
import { deleteEntries, droppedFiles, moveEntries } from "./actions";
import { paste, pickAndUpload, upload } from "./commands";
import type { Explorer } from "./model";
import { NameInput } from "./NameInput";
import { join, nameOf, parentOf } from "./names";
import type { Row } from "./tree";
import "./explorer.css";

const ROW = 24;
const OVERSCAN = 10;
const STATES: Record<Badge, { icon: string; tone: string; word: string }> = {
  unsaved: { icon: "dot", tone: "warn", word: "Unsaved" },
  saving: { icon: "refresh", tone: "accent", word: "Saving" },
  waiting: { icon: "arrow-up", tone: "warn", word: "Waits for the server" },
  failed: { icon: "error", tone: "danger", word: "Not saved" },
  conflict: { icon: "alert", tone: "warn", word: "Conflict" },
  uploading: { icon: "arrow-up", tone: "accent", word: "Uploading" },
};

type Line =
  | { kind: "row"; row: Row }
  | { kind: "input"; level: number; at: string; what: "file" | "folder" };

export function ExplorerView({ explorer }: { explorer: Explorer }) {
  const bench = useBench();
  const loaded = useStore(bench.live.store, (state) => state.loaded);
  const failure = useStore(bench.live.store, (state) => state.failure);
  const progress = useStore(explorer.uploads, (state) => state.progress);

  return (
    <>
      <div className="side-head">
        <h2 className="label">Explorer</h2>
        {["file.new", "folder.new", "file.upload"].map((id) => (
          <Tool key={id} action={find(bench.actions(), id)} />
        ))}
      </div>
      {loaded === "loading" && !failure ? <Waiting /> : null}
      {loaded !== "ready" && failure ? (
        <div className="empty">
          <Icon name="cloud-off" />
          <h2>The files could not be listed</h2>
          <p className="small">{failure.detail}</p>
          <div className="actions">
            <button type="button" className="btn" onClick={() => void bench.live.pullFiles()}>
              Try again
            </button>
          </div>
        </div>
      ) : null}
      {loaded === "ready" ? <TreeView explorer={explorer} /> : null}
      {progress ? (
        <div className="explorer-upload" role="status">
          <div className="progress progress-thin">
            <i style={{ width: `${(progress.done / Math.max(1, progress.total)) * 100}%` }} />
          </div>
          <span className="small truncate">
            Uploading {progress.done + 1} of {progress.total} · {progress.name}
          </span>
        </div>
      ) : null}
    </>
  );
}

function Tool({ action }: { action: Action }) {
  return (
    <button
      type="button"
      className="btn btn-ghost btn-icon btn-sm"
      aria-label={action.title}
      title={hintOf(action)}
      onClick={action.run}
    >
      <Icon name={action.icon} />
    </button>
  );
}

function Waiting() {
  return (
    <div className="explorer-wait" role="status" aria-label="Loading files">
      {["62%", "44%", "70%", "52%"].map((width) => (
        <span key={width} className="skeleton" style={{ width }} />
      ))}
    </div>
  );
}

function TreeView({ explorer }: { explorer: Explorer }) {
  const bench = useBench();
  const { version, focused, selected, cut, editing } = useStore(explorer.store, (state) => state);
  const badges = useStore(bench.editor, (facts) => facts.badges);
  const box = useRef<HTMLDivElement>(null);
  const [view, setView] = useState({ top: 0, height: 600 });
  const [target, setTarget] = useState<string | null>(null);
  const typed = useRef({ text: "", at: 0 });

  // biome-ignore lint/correctness/useExhaustiveDependencies: the version stands for the tree's rows
  const lines = useMemo(() => withInput(explorer.rows(), editing), [explorer, version, editing]);

  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const measure = () => setView({ top: element.scrollTop, height: element.clientHeight });
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, []);

  const index = lines.findIndex((line) => line.kind === "row" && line.row.path === focused);
  useEffect(() => {
    const element = box.current;
    if (!element || index < 0) return;
    const top = index * ROW;
    if (top < element.scrollTop) element.scrollTop = top;
    else if (top + ROW > element.scrollTop + element.clientHeight)
      element.scrollTop = top + ROW - element.clientHeight;
  }, [index]);

  const openRow = (row: Row, pin: boolean) => {
    if (row.kind === "folder") explorer.toggle(row.path);
    else bench.open(row.path, { preview: !pin, focus: pin });
  };
  const move = (to: number, extend: boolean) => {
    const rows = lines.filter((line) => line.kind === "row");
    const line = rows[Math.max(0, Math.min(rows.length - 1, to))];
    if (line?.kind === "row") explorer.select(line.row.path, extend ? "range" : "only");
  };

  const keys = (event: KeyboardEvent) => {
    if (event.target instanceof HTMLInputElement) return;
    const line = lines[index];
    const row = line?.kind === "row" ? line.row : null;
    const mod = event.ctrlKey || event.metaKey;
    const handled = treeKey(event, row, index, lines.length, move, explorer, openRow);
    if (handled) {
      event.preventDefault();
      return;
    }
    if (event.key === "F2" && row) explorer.rename(row.path);
    else if (event.key === "Delete" && row) void deleteEntries(bench, explorer.chosen());
    else if (mod && event.key === "x") explorer.cut();
    else if (mod && event.key === "v") void paste(bench, explorer);
    else if (event.key === "Escape") explorer.store.setState({ cut: new Set() });
    else if (event.key.length === 1 && !mod && !event.altKey) {
      const fresh = event.timeStamp - typed.current.at > 700;
      typed.current = {
        text: (fresh ? "" : typed.current.text) + event.key.toLowerCase(),
        at: event.timeStamp,
      };
      const from = index + (typed.current.text.length === 1 ? 1 : 0);
      const found = [...lines.slice(Math.max(0, from)), ...lines].find(
        (one) => one.kind === "row" && one.row.label.toLowerCase().startsWith(typed.current.text),
      );
      if (found?.kind === "row") explorer.select(found.row.path, "only");
    } else return;
    event.preventDefault();
  };

  const drop = async (event: DragEvent, folder: string) => {
    event.preventDefault();
    event.stopPropagation();
    setTarget(null);
    const inner = event.dataTransfer.getData("text/slipway-paths");
    if (inner) {
      const paths = JSON.parse(inner) as string[];
      await moveEntries(
        bench,
        paths.map((from) => ({ from, to: join(folder, nameOf(from)) })),
      );
      return;
    }
    const files = await droppedFiles(event.dataTransfer.items);
    if (files.length > 0) void upload(bench, explorer, folder, files);
  };
  const over = (event: DragEvent, folder: string) => {
    event.preventDefault();
    event.stopPropagation();
    setTarget(folder);
  };

  if (lines.length === 0)
    return (
      // biome-ignore lint/a11y/noStaticElementInteractions: files may be dropped; the buttons do the same
      <div
        className="empty grow"
        onDragOver={(event) => over(event, "")}
        onDrop={(event) => void drop(event, "")}
      >
        <Icon name="folder-open" />
        <h2>No files yet</h2>
        <p className="small">Make one, or drop files and folders here.</p>
        <div className="actions">
          <button type="button" className="btn btn-primary" onClick={() => explorer.create("file")}>
            New file
          </button>
          <button type="button" className="btn" onClick={() => void pickAndUpload(bench, explorer)}>
            Upload
          </button>
        </div>
      </div>
    );

  const first = Math.max(0, Math.floor(view.top / ROW) - OVERSCAN);
  const last = Math.min(lines.length, Math.ceil((view.top + view.height) / ROW) + OVERSCAN);
  const focusedId = index >= 0 ? rowId(focused ?? "") : undefined;
  return (
    <div
      ref={box}
      role="tree"
      aria-label="Files"
      aria-multiselectable="true"
      aria-activedescendant={focusedId}
      tabIndex={0}
      className={`tree explorer-tree${target === "" ? " is-target" : ""}`}
      onScroll={(event) =>
        setView({ top: event.currentTarget.scrollTop, height: event.currentTarget.clientHeight })
      }
      onFocus={() => {
        const top = lines.find((line) => line.kind === "row");
        if (focused === null && top?.kind === "row") explorer.select(top.row.path, "only");
      }}
      onKeyDown={keys}
      onContextMenu={(event) => {
        event.preventDefault();
        bench.menu({ x: event.clientX, y: event.clientY }, entriesOf(bench, null));
      }}
      onDragOver={(event) => over(event, "")}
      onDragLeave={() => setTarget(null)}
      onDrop={(event) => void drop(event, "")}
    >
      <div role="presentation" style={{ height: lines.length * ROW, position: "relative" }}>
        {lines.slice(first, last).map((line, offset) => {
          const top = (first + offset) * ROW;
          if (line.kind === "input")
            return (
              <NameInput
                key="new"
                explorer={explorer}
                top={top}
                level={line.level}
                folder={line.at}
                what={line.what}
              />
            );
          const { row } = line;
          if (editing?.kind === "rename" && editing.at === row.path)
            return (
              <NameInput
                key={row.path}
                explorer={explorer}
                top={top}
                level={row.level}
                folder={parentOf(row.path)}
                what="rename"
                path={row.path}
              />
            );
          const badge = badges.get(row.path);
          const state = badge ? STATES[badge] : null;
          const into = row.kind === "folder" ? row.path : parentOf(row.path);
          const classes = [
            "tree-row explorer-row",
            selected.has(row.path) ? "is-selected" : "",
            focused === row.path ? "is-current" : "",
            cut.has(row.path) ? "is-ignored" : "",
            target !== null && target === row.path ? "is-hover" : "",
          ];
          return (
            // biome-ignore lint/a11y/useKeyWithClickEvents: the tree itself takes the keys
            <div
              key={row.path}
              id={rowId(row.path)}
              role="treeitem"
              tabIndex={-1}
              aria-level={row.level + 1}
              aria-posinset={row.position}
              aria-setsize={row.siblings}
              aria-selected={selected.has(row.path)}
              aria-expanded={row.kind === "folder" ? row.expanded : undefined}
              aria-label={state ? `${row.label}, ${state.word}` : row.label}
              className={classes.join(" ")}
              style={
                {
                  "--level": row.level,
                  position: "absolute",
                  top,
                  left: 0,
                  right: 0,
                } as React.CSSProperties
              }
              title={row.path}
              draggable
              onDragStart={(event) => {
                if (!selected.has(row.path)) explorer.select(row.path, "only");
                event.dataTransfer.setData("text/slipway-paths", JSON.stringify(explorer.chosen()));
                event.dataTransfer.effectAllowed = "move";
              }}
              onDragOver={(event) => over(event, into)}
              onDrop={(event) => void drop(event, into)}
              onClick={(event) => {
                if (event.ctrlKey || event.metaKey) return explorer.select(row.path, "toggle");
                if (event.shiftKey) return explorer.select(row.path, "range");
                explorer.select(row.path, "only");
                openRow(row, false);
              }}
              onDoubleClick={() => row.kind !== "folder" && bench.open(row.path)}
              onContextMenu={(event) => {
                event.preventDefault();
                event.stopPropagation();
                if (!selected.has(row.path)) explorer.select(row.path, "only");
                bench.menu({ x: event.clientX, y: event.clientY }, entriesOf(bench, row));
              }}
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
              <Icon name={iconOf(row)} />
              <span className="name">{row.label}</span>
              {state ? (
                <span className={`state ${state.tone}`} title={state.word}>
                  <Icon name={state.icon} />
                </span>
              ) : null}
            </div>
          );
        })}
      </div>
    </div>
  );
}

/** The keys of a tree (WAI-ARIA); true when it was one. */
function treeKey(
  event: KeyboardEvent,
  row: Row | null,
  index: number,
  count: number,
  move: (to: number, extend: boolean) => void,
  explorer: Explorer,
  openRow: (row: Row, pin: boolean) => void,
): boolean {
  const extend = event.shiftKey;
  switch (event.key) {
    case "ArrowDown":
      move(index + 1, extend);
      return true;
    case "ArrowUp":
      move(index - 1, extend);
      return true;
    case "Home":
      move(0, extend);
      return true;
    case "End":
      move(count - 1, extend);
      return true;
    case "PageDown":
      move(index + 20, extend);
      return true;
    case "PageUp":
      move(index - 20, extend);
      return true;
    case "ArrowRight":
      if (row?.kind === "folder" && !row.expanded) explorer.toggle(row.path, true);
      else if (row?.kind === "folder") move(index + 1, false);
      return true;
    case "ArrowLeft":
      if (row?.kind === "folder" && row.expanded) explorer.toggle(row.path, false);
      else if (row && parentOf(row.path) !== "") explorer.select(parentOf(row.path), "only");
      return true;
    case "Enter":
      if (row) openRow(row, true);
      return true;
    case " ":
      if (row) openRow(row, false);
      return true;
    case "*":
      for (const one of explorer.rows())
        if (
          row &&
          one.kind === "folder" &&
          one.level === row.level &&
          parentOf(one.path) === parentOf(row.path)
        )
          explorer.toggle(one.path, true);
      return true;
    default:
      return false;
  }
}

function withInput(rows: readonly Row[], editing: { at: string; kind: string } | null): Line[] {
  const lines: Line[] = rows.map((row) => ({ kind: "row", row }));
  if (!editing || editing.kind === "rename") return lines;
  const at = rows.findIndex((row) => row.path === editing.at);
  const level = at < 0 ? 0 : (rows[at] as Row).level + 1;
  const what = editing.kind === "folder" ? "folder" : "file";
  lines.splice(at + 1, 0, { kind: "input", level, at: editing.at, what });
  return lines;
}

/** The menu of a row, or of the empty room below the rows. */
function entriesOf(bench: Bench, row: Row | null): (MenuEntry | null)[] {
  const actions = bench.actions();
  const entry = (id: string) => entryOf(find(actions, id));
  const make = ["file.new", "folder.new", "file.upload", "file.paste"].map(entry);
  if (!row) return make;
  const open: (MenuEntry | null)[] = [
    { label: "Open", icon: "file-text", run: () => bench.open(row.path) },
    {
      label: "Run",
      icon: "play",
      run: () => void bench.startRun({ kind: "file", path: row.path }),
    },
    null,
  ];
  const change = ["file.rename", "file.cut", "file.move", "file.download", "file.copyPath"];
  return [
    ...(row.kind === "file" ? open : []),
    ...make,
    null,
    ...change.map(entry),
    null,
    entry("file.delete"),
  ];
}

function rowId(path: string): string {
  return `tree-${encodeURIComponent(path)}`;
}

function iconOf(row: Row): string {
  if (row.kind === "folder") return row.expanded ? "folder-open" : "folder";
  return row.kind === "symlink" ? "link" : fileIcon(row.label);
}
