/** The tree: only the rows that are seen, with keyboard, menu, drag and drop. */
import {
  type DragEvent,
  type KeyboardEvent,
  type MouseEvent,
  useEffect,
  useMemo,
  useRef,
  useState,
} from "react";
import { type Badge, type Bench, useBench, useHere, useStore } from "../../bench/bench";
import { useHost } from "../../host/useHost";
import { Empty } from "../../ui/Empty";
import { Icon } from "../../ui/Icon";
import { many } from "../../ui/words";
import { deleteEntries } from "./actions";
import { menuOf, paste, pickAndUpload } from "./commands";
import { carry, dropInto } from "./drag";
import { type Act, keyOf, TypeAhead } from "./keys";
import type { Explorer, ExplorerState } from "./model";
import { NameInput } from "./NameInput";
import { parentOf } from "./names";
import { type RowEvents, rowId, TreeRow } from "./TreeRow";
import type { Row } from "./tree";

const ROW = 24;
const OVERSCAN = 10;

type Line =
  | { kind: "row"; row: Row }
  | { kind: "input"; level: number; at: string; what: "file" | "folder" };

export function TreeView({ explorer }: { explorer: Explorer }) {
  const bench = useBench();
  const state = useStore(explorer.store, (one) => one);
  const { version, focused, selected, clip, editing } = state;
  const badges = useStore(bench.badges, ({ byPath }) => byPath);
  const box = useRef<HTMLDivElement>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the version stands for the tree's rows
  const lines = useMemo(() => withInput(explorer.rows(), editing), [explorer, version, editing]);
  const index = lines.findIndex((line) => line.kind === "row" && line.row.path === focused);
  const typing = lines.findIndex(
    (line) => line.kind === "input" || (editing?.kind === "rename" && line.row.path === editing.at),
  );
  const view = useWindow(box, typing >= 0 ? typing : index, lines.length);
  const { target, over, leave, drop } = useDrops(explorer);
  const keys = useKeys(explorer, box);
  useComesIn(box, lines.length === 0);

  if (lines.length === 0) return <NoFiles explorer={explorer} over={over} drop={drop} />;
  const events: RowEvents = {
    onPress: (row, event) => {
      const how = event.shiftKey ? "range" : event.ctrlKey || event.metaKey ? "toggle" : "only";
      explorer.select(row.path, how);
      if (how === "only") show(explorer, bench, row, false);
    },
    onPin: (row) => {
      if (row.kind !== "folder") bench.open(row.path);
    },
    onMenu: (row, event) => openMenu(explorer, bench, row, event),
    onDragStart: (row, event) => {
      if (!selected.has(row.path)) explorer.select(row.path, "only");
      carry(event.dataTransfer, explorer.chosen());
    },
    onDragOver: (row, event) => over(event, folderOf(row)),
    onDrop: (row, event) => drop(event, folderOf(row)),
  };
  return (
    <div
      ref={box}
      role="tree"
      aria-label="Files"
      aria-multiselectable="true"
      aria-activedescendant={index >= 0 ? rowId(focused ?? "") : undefined}
      tabIndex={0}
      className={`tree explorer-tree${target === "" ? " is-target" : ""}`}
      onScroll={view.measure}
      onFocus={() => focusFirst(explorer)}
      onKeyDown={keys}
      onContextMenu={(event) => openMenu(explorer, bench, null, event)}
      onDragOver={(event) => over(event, "")}
      onDragLeave={leave}
      onDrop={(event) => drop(event, "")}
    >
      <div role="presentation" style={{ height: lines.length * ROW, position: "relative" }}>
        {lines.slice(view.first, view.last).map((line, offset) => {
          const top = (view.first + offset) * ROW;
          const input = inputOf(line, state);
          if (input)
            return <NameInput key={input.path ?? "new"} explorer={explorer} top={top} {...input} />;
          if (line.kind === "input") return null;
          const { row } = line;
          return (
            <TreeRow
              key={row.path}
              row={row}
              top={top}
              badge={badgeOf(row, badges)}
              selected={selected.has(row.path)}
              current={focused === row.path}
              faded={clip?.how === "cut" && clip.paths.has(row.path)}
              target={target !== null && target === row.path}
              events={events}
            />
          );
        })}
      </div>
    </div>
  );
}

function NoFiles({ explorer, over, drop }: { explorer: Explorer } & Drops) {
  const bench = useBench();
  const coming = useHere(({ sync }) => (sync?.state === "online" ? sync.down : 0), 0);
  if (coming > 0)
    return (
      <Empty
        title={`${many(coming, "file is", "files are")} on the way here`}
        text="They appear one after the other, and can be opened as soon as they do."
      />
    );
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: files may be dropped; the buttons do the same
    <div
      className="empty grow"
      onDragOver={(event) => over(event, "")}
      onDrop={(event) => drop(event, "")}
    >
      <Icon name="folder-open" />
      <h2>No files yet</h2>
      <p className="small">Make one, or drop files and folders here.</p>
      <div className="actions">
        <button type="button" className="btn btn-primary" onClick={() => explorer.create("file")}>
          New file
        </button>
        <button
          type="button"
          className="btn"
          onClick={() => void pickAndUpload(bench, explorer, "files")}
        >
          Upload
        </button>
      </div>
    </div>
  );
}

function badgeOf(row: Row, badges: ReadonlyMap<string, Badge>): Badge | undefined {
  if (row.kind !== "folder" || row.expanded) return badges.get(row.path);
  for (const [path, badge] of badges) if (path.startsWith(`${row.path}/`)) return badge;
  return undefined;
}

/** Which lines are seen; the one of interest is brought into sight when it changes. */
function useWindow(box: React.RefObject<HTMLDivElement | null>, interest: number, count: number) {
  const [view, setView] = useState({ top: 0, height: 600 });
  const measure = () => {
    const element = box.current;
    if (element) setView({ top: element.scrollTop, height: element.clientHeight });
  };
  const empty = count === 0;
  // biome-ignore lint/correctness/useExhaustiveDependencies: measured again when the tree appears
  useEffect(() => {
    if (!box.current) return;
    const observer = new ResizeObserver(measure);
    observer.observe(box.current);
    return () => observer.disconnect();
  }, [empty]);
  useEffect(() => {
    const element = box.current;
    if (!element || interest < 0) return;
    const top = interest * ROW;
    if (top < element.scrollTop) element.scrollTop = top;
    else if (top + ROW > element.scrollTop + element.clientHeight)
      element.scrollTop = top + ROW - element.clientHeight;
  }, [interest, box]);
  return {
    measure,
    first: Math.max(0, Math.floor(view.top / ROW) - OVERSCAN),
    last: Math.ceil((view.top + view.height) / ROW) + OVERSCAN,
  };
}

interface Drops {
  over(event: DragEvent, folder: string): void;
  drop(event: DragEvent, folder: string): void;
}

function useDrops(explorer: Explorer) {
  const bench = useBench();
  const [target, setTarget] = useState<string | null>(null);
  const over = (event: DragEvent, folder: string) => {
    event.preventDefault();
    event.stopPropagation();
    setTarget(folder);
  };
  const drop = (event: DragEvent, folder: string) => {
    event.preventDefault();
    event.stopPropagation();
    setTarget(null);
    void dropInto(bench, event.dataTransfer, folder).then((incoming) => {
      if (incoming) void explorer.uploads.start(bench, folder, incoming);
      else explorer.dropClip();
    });
  };
  return { target, over, drop, leave: () => setTarget(null) };
}

function useKeys(explorer: Explorer, box: React.RefObject<HTMLDivElement | null>) {
  const bench = useBench();
  const host = useHost();
  const [ahead] = useState(() => new TypeAhead());
  return (event: KeyboardEvent) => {
    if (event.target instanceof HTMLInputElement) return;
    const rows = explorer.rows();
    const { focused, clip } = explorer.store.getState();
    const index = rows.findIndex((row) => row.path === focused);
    const page = Math.max(1, Math.floor((box.current?.clientHeight ?? 0) / ROW) - 1);
    const act = keyOf(event, rows, index, page);
    // Nothing to let go of: the key means what it means around the tree.
    if (act?.do === "drop" && !clip) return;
    if (act) {
      ahead.end();
      perform(act, explorer, bench);
    } else if (event.key.length === 1 && !event.ctrlKey && !event.metaKey && !event.altKey) {
      const found = ahead.find(event.key, host.now(), rows, index);
      if (found !== null) explorer.select(found, "only");
    } else return;
    event.preventDefault();
    event.stopPropagation();
  };
}

function perform(act: Act, explorer: Explorer, bench: Bench): void {
  const { focused } = explorer.store.getState();
  switch (act.do) {
    case "go":
      explorer.select(act.path, act.extend ? "range" : "only");
      break;
    case "toggle":
      explorer.toggle(act.path, act.open);
      break;
    case "openAll":
      for (const path of act.paths) explorer.toggle(path, true);
      break;
    case "parent":
      explorer.toParent();
      break;
    case "show":
      show(explorer, bench, act.row, act.pin);
      break;
    case "rename":
      if (focused !== null) explorer.rename(focused);
      break;
    case "delete":
      void explorer.settled().then(() => deleteEntries(bench, explorer.chosen()));
      break;
    case "cut":
    case "copy":
      explorer.clip(act.do);
      break;
    case "paste":
      void paste(bench, explorer);
      break;
    case "all":
      explorer.selectAll();
      break;
    case "drop":
      explorer.dropClip();
      break;
    case "menu":
      menuByKey(explorer, bench);
  }
}

/** The menu of the focused row, below it. */
function menuByKey(explorer: Explorer, bench: Bench): void {
  const { focused } = explorer.store.getState();
  const row = explorer.rows().find((one) => one.path === focused);
  const at = row && document.getElementById(rowId(row.path));
  if (row && at) bench.menu(at, menuOf(bench, row));
}

function show(explorer: Explorer, bench: Bench, row: Row, pin: boolean): void {
  if (row.kind === "folder") explorer.toggle(row.path);
  else bench.open(row.path, { preview: !pin, focus: pin });
}

function openMenu(explorer: Explorer, bench: Bench, row: Row | null, event: MouseEvent): void {
  event.preventDefault();
  event.stopPropagation();
  // A key opens the menu of the row that has it, and has done so.
  if ((event.nativeEvent as PointerEvent).pointerType === "") return;
  // On the ground below the rows, new things go to the top.
  if (!row) explorer.leave();
  if (row && !explorer.store.getState().selected.has(row.path)) explorer.select(row.path, "only");
  const at = { x: event.clientX, y: event.clientY };
  bench.menu(at, menuOf(bench, row));
}

/** Files that come take the keys from their region, where they are waited for. */
function useComesIn(box: React.RefObject<HTMLDivElement | null>, empty: boolean): void {
  useEffect(() => {
    const at = document.activeElement;
    if (!empty && at?.matches(".side") && at.contains(box.current)) box.current?.focus();
  }, [empty, box]);
}

/** A row to begin at; nothing is chosen by that. */
function focusFirst(explorer: Explorer): void {
  const [first] = explorer.rows();
  if (explorer.store.getState().focused === null && first) explorer.begin(first.path);
}

function folderOf(row: Row): string {
  return row.kind === "folder" ? row.path : parentOf(row.path);
}

function withInput(rows: readonly Row[], editing: ExplorerState["editing"]): Line[] {
  const lines: Line[] = rows.map((row) => ({ kind: "row", row }));
  if (!editing || editing.kind === "rename") return lines;
  const at = rows.findIndex((row) => row.path === editing.at);
  const level = at < 0 ? 0 : (rows[at] as Row).level + 1;
  lines.splice(at + 1, 0, { kind: "input", level, at: editing.at, what: editing.kind });
  return lines;
}

/** The input that stands in a line's place, if any. */
function inputOf(line: Line, { editing }: ExplorerState) {
  if (line.kind === "input") return { level: line.level, folder: line.at, what: line.what };
  const { path, level } = line.row;
  if (editing?.kind !== "rename" || editing.at !== path) return null;
  return { level, folder: parentOf(path), what: "rename" as const, path };
}
