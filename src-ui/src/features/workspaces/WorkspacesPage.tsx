/** The list of workspaces: shelves at the side, rows to open and act on, templates to start from. */
import { type DragEvent, useEffect, useRef, useState } from "react";
import type { WorkspaceSort } from "../../host/generated/api/WorkspaceSort";
import { TRASH_DAYS } from "../../host/generated/limits";
import { useHost } from "../../host/useHost";
import { ListFailed } from "../../ui/Card";
import { Empty } from "../../ui/Empty";
import { Icon } from "../../ui/Icon";
import { usePopups } from "../../ui/popups";
import { STARTERS } from "../../ui/starters";
import { count, size } from "../../ui/words";
import { type Acts, useActs } from "./acts";
import { type Bringing, useBring } from "./bring";
import { arranged, type Shelf, useMovedWorkspaces, useShelves } from "./list";
import { Rows, RowsToCome } from "./Rows";
import { Shelves } from "./Shelves";
import { WaitingHere } from "./WaitingHere";
import "./workspaces.css";

const SORTS: Record<WorkspaceSort, string> = {
  changed: "Last edit",
  created: "Newest",
  name: "Name",
};
const NOTHING: Record<Shelf, [title: string, text: string]> = {
  all: ["", ""],
  session: ["No session is running", "A session starts when you run something or open a terminal."],
  archived: ["The archive is empty", "Archived workspaces keep their files and start no sessions."],
  trash: ["The trash is empty", `Deleted workspaces stay here for ${TRASH_DAYS} days.`],
};

export function WorkspacesPage() {
  const host = useHost();
  const popups = usePopups();
  const acts = useActs();
  const { bringing, bring, cancel } = useBring(acts.name);
  const { rows, list } = useShelves();
  useMovedWorkspaces();
  const [shelf, setShelf] = useState<Shelf>("all");
  const [shelvesOpen, setShelvesOpen] = useState(false);
  const [words, setWords] = useState("");
  const [sort, setSort] = useState<WorkspaceSort>("changed");

  const known = rows(shelf);
  const { error, refetch } = list(shelf);
  const shown = known && arranged(known, words, sort);
  const starters = (at: Element) =>
    popups.menu(
      at,
      STARTERS.map(({ template, title, icon }) => ({
        label: title,
        icon,
        run: () => void acts.create(template, title, rows("all") ?? []),
      })),
    );
  const pick = async () => {
    const [file] = await host.pickFiles({ accept: ".zip" });
    if (file) await bring(file);
  };
  const { over, target } = useDrop((file) => void bring(file));
  return (
    <>
      <Shelves
        shelf={shelf}
        open={shelvesOpen}
        rows={rows}
        onChoose={(chosen) => {
          setShelf(chosen);
          setShelvesOpen(false);
        }}
      />
      <main className={`main page-main${over ? " is-over" : ""}`} {...target}>
        <div className="page-head">
          <h1>{shelf === "trash" ? "Trash" : "Workspaces"}</h1>
          <span className="push row gap3">
            <button type="button" className="btn" onClick={() => void pick()}>
              <Icon name="upload" />
              Import
            </button>
            <button
              type="button"
              className="btn btn-primary"
              aria-haspopup="menu"
              onClick={(event) => starters(event.currentTarget)}
            >
              <Icon name="plus" />
              New workspace
            </button>
          </span>
        </div>
        <div className="ws-tools">
          <button
            type="button"
            className="btn btn-icon page-narrow"
            aria-label="Filters"
            aria-expanded={shelvesOpen}
            onClick={() => setShelvesOpen(!shelvesOpen)}
          >
            <Icon name="panel-left" />
          </button>
          <Search words={words} onChange={setWords} />
          <span className="push small faint num">{found(shown?.length, known?.length, words)}</span>
          <button
            type="button"
            className="btn btn-ghost"
            aria-label={`Order: ${SORTS[sort]}`}
            aria-haspopup="menu"
            onClick={(event) =>
              popups.menu(
                event.currentTarget,
                (Object.keys(SORTS) as WorkspaceSort[]).map((one) => ({
                  label: SORTS[one],
                  checked: one === sort,
                  run: () => setSort(one),
                })),
              )
            }
          >
            <Icon name="sort" />
            {SORTS[sort]}
          </button>
        </div>
        {bringing ? <Progress bringing={bringing} onCancel={cancel} /> : null}
        {error ? (
          <ListFailed
            error={error}
            title="The workspaces could not be listed"
            away={
              known
                ? "This is the list as it was last seen."
                : "The list comes when the connection is back."
            }
            onRetry={() => void refetch()}
          />
        ) : null}
        {error ? <WaitingHere /> : null}
        {shown?.length ? <Rows rows={shown} acts={acts} /> : null}
        {known === undefined && !error ? <RowsToCome /> : null}
        {shown?.length === 0 ? (
          <Nothing shelf={shelf} words={words} onNew={starters} onImport={() => void pick()} />
        ) : null}
        {shelf === "all" && known ? <Starters acts={acts} taken={() => rows("all") ?? []} /> : null}
      </main>
    </>
  );
}

/** A file dragged over an element, and dropped there. */
function useDrop(dropped: (file: File) => void) {
  const [over, setOver] = useState(false);
  const depth = useRef(0);
  const move = (by: number) => {
    depth.current += by;
    setOver(depth.current > 0);
  };
  const target = {
    onDragEnter: () => move(1),
    onDragLeave: () => move(-1),
    onDragOver: (event: DragEvent) => event.preventDefault(),
    onDrop: (event: DragEvent) => {
      event.preventDefault();
      move(-depth.current);
      const file = event.dataTransfer.files[0];
      if (file) dropped(file);
    },
  };
  return { over, target };
}

function found(shown: number | undefined, all: number | undefined, words: string): string {
  if (shown === undefined || !all) return "";
  if (words.trim() === "") return all === 1 ? "1 workspace" : `${count(all)} workspaces`;
  return `${count(shown)} of ${count(all)}`;
}

function Search({ words, onChange }: { words: string; onChange: (words: string) => void }) {
  const box = useRef<HTMLInputElement>(null);
  useEffect(() => {
    const slash = (event: KeyboardEvent) => {
      const typing = event.target instanceof HTMLInputElement;
      if (event.key !== "/" || typing || document.querySelector("[role=dialog]")) return;
      event.preventDefault();
      box.current?.focus();
    };
    addEventListener("keydown", slash);
    return () => removeEventListener("keydown", slash);
  }, []);
  return (
    <span className="input input-sm ws-search">
      <Icon name="search" />
      <input
        ref={box}
        type="search"
        aria-label="Search workspaces"
        aria-keyshortcuts="/"
        placeholder="Search by name"
        value={words}
        onKeyDown={(event) => {
          if (event.key !== "Escape") return;
          onChange("");
          event.currentTarget.blur();
        }}
        onChange={(event) => onChange(event.target.value)}
      />
      <span className="kbd" aria-hidden="true">
        /
      </span>
    </span>
  );
}

function Progress({ bringing, onCancel }: { bringing: Bringing; onCancel: () => void }) {
  const { name, sent, total } = bringing;
  const whole = sent >= total;
  return (
    <section className="card ws-progress" aria-label={`Import of ${name}`}>
      <div className="row gap3">
        <Icon name="upload" className="accent" />
        <span className="medium truncate">{name}</span>
        <span className="faint num small">
          {whole ? "The server unpacks it" : `${size(sent)} of ${size(total)}`}
        </span>
        <button type="button" className="btn btn-ghost btn-sm push" onClick={onCancel}>
          Cancel
        </button>
      </div>
      <div
        className={`progress${whole ? " is-endless" : ""}`}
        role="progressbar"
        aria-label={`Import of ${name}`}
        aria-valuemin={0}
        aria-valuemax={total}
        aria-valuenow={whole ? undefined : sent}
      >
        <i style={{ width: `${total === 0 ? 100 : (sent / total) * 100}%` }} />
      </div>
    </section>
  );
}

interface NothingProps {
  shelf: Shelf;
  words: string;
  onNew: (at: Element) => void;
  onImport: () => void;
}

function Nothing({ shelf, words, onNew, onImport }: NothingProps) {
  if (words.trim() !== "")
    return <Empty icon="search" title={`No workspace has “${words.trim()}” in its name`} />;
  const [title, text] = NOTHING[shelf];
  if (shelf !== "all")
    return (
      <Empty
        icon={shelf === "trash" ? "trash" : shelf === "archived" ? "archive" : "activity"}
        title={title}
        text={text}
      />
    );
  return (
    <div className="empty ws-empty is-dashed">
      <Icon name="folder-plus" />
      <h2>No workspaces yet</h2>
      <p className="small">A workspace is a folder that is on the server and in your sessions.</p>
      <div className="actions">
        <button
          type="button"
          className="btn btn-primary"
          aria-haspopup="menu"
          onClick={(event) => onNew(event.currentTarget)}
        >
          <Icon name="plus" />
          Start one
        </button>
        <button type="button" className="btn" onClick={onImport}>
          <Icon name="upload" />
          Import a zip file
        </button>
      </div>
      <p className="small faint">or drop a zip file here</p>
    </div>
  );
}

function Starters({ acts, taken }: { acts: Acts; taken: () => Parameters<Acts["create"]>[2] }) {
  return (
    <section className="ws-starters" aria-labelledby="starters">
      <h2 id="starters" className="label">
        New from template
      </h2>
      <div className="ws-cards">
        {STARTERS.map(({ template, title, text, icon }) => (
          <button
            key={template}
            type="button"
            className="card ws-card"
            onClick={() => void acts.create(template, title, taken())}
          >
            <Icon name={icon} className="icon-lg muted" />
            <span className="grow">
              <span className="medium">{title}</span>
              <span className="small faint truncate">{text}</span>
            </span>
            <span className="btn btn-sm" aria-hidden="true">
              Create
            </span>
          </button>
        ))}
      </div>
    </section>
  );
}
