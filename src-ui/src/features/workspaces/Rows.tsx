/** The rows: arrow keys walk them, Enter opens, F2 and Del act, the menu has the rest. */
import type { KeyboardEvent } from "react";
import { Link } from "wouter";
import { listedWords } from "../../bench/syncWords";
import type { SyncBrief } from "../../host/generated/api/SyncBrief";
import type { Workspace } from "../../host/generated/api/Workspace";
import { useHost } from "../../host/useHost";
import { Icon } from "../../ui/Icon";
import { usePopups } from "../../ui/popups";
import { useNow } from "../../ui/useNow";
import { ago, count, exactly, size } from "../../ui/words";
import { type Acts, menuOf } from "./acts";
import { language, sessionWords, trashWords } from "./words";

const NOW_MS = 30_000;

export function Rows({ rows, acts }: { rows: readonly Workspace[]; acts: Acts }) {
  const now = useNow(NOW_MS);
  const { desktop } = useHost();
  const inTrash = rows[0]?.deleted_at !== undefined;
  return (
    <div className="ws-table">
      <table className="table">
        <thead>
          <tr>
            <th scope="col">Name</th>
            <th scope="col" className="c-language">
              Language
            </th>
            {desktop ? <th scope="col">On this computer</th> : null}
            <th scope="col">Session</th>
            <th scope="col">{inTrash ? "In the trash" : "Last edit"}</th>
            <th scope="col" className="end c-files">
              Files
            </th>
            <th scope="col" className="end c-size">
              Size
            </th>
            <th scope="col" className="ws-more">
              <span className="visually-hidden">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <Row key={row.id} row={row} acts={acts} now={now} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Row({ row, acts, now }: { row: Workspace; acts: Acts; now: number }) {
  const popups = usePopups();
  const { desktop } = useHost();
  const at = acts.at(row);
  const written = language(row.template);
  const keys = (event: KeyboardEvent<HTMLTableRowElement>) => {
    const { currentTarget, key } = event;
    const to = { ArrowDown: "nextElementSibling", ArrowUp: "previousElementSibling" } as const;
    if (key === "ArrowDown" || key === "ArrowUp") focusRow(currentTarget[to[key]]);
    else if (key === "Home") focusRow(currentTarget.parentElement?.firstElementChild ?? null);
    else if (key === "End") focusRow(currentTarget.parentElement?.lastElementChild ?? null);
    else if (key === "F2" && !row.deleted_at) void acts.rename(row);
    else if (key === "Delete") void (row.deleted_at ? acts.purge(row) : acts.remove(row));
    else return;
    event.preventDefault();
  };
  return (
    <tr
      onKeyDown={keys}
      onContextMenu={(event) => {
        event.preventDefault();
        popups.menu({ x: event.clientX, y: event.clientY }, menuOf(row, acts));
      }}
    >
      <th scope="row" className="ws-name">
        {row.deleted_at ? (
          <button
            type="button"
            className="btn-reset ws-open"
            aria-haspopup="menu"
            onClick={(event) => popups.menu(event.currentTarget, menuOf(row, acts))}
          >
            {row.name}
          </button>
        ) : at ? (
          <Link href={at} className="ws-open">
            {row.name}
          </Link>
        ) : (
          <button
            type="button"
            className="btn-reset ws-open"
            title="Brings it to this computer and opens it"
            onClick={() => void acts.open(row)}
          >
            {row.name}
          </button>
        )}
      </th>
      <td className="c-language muted">{written ?? <None />}</td>
      {desktop ? (
        <td>
          <Here brief={acts.brief(row)} />
        </td>
      ) : null}
      <td>
        <Session row={row} now={now} />
      </td>
      <td className="muted" title={exactly(row.deleted_at ?? row.changed_at)}>
        {row.deleted_at
          ? `${ago(row.deleted_at, now)}${row.purge_at ? `, ${trashWords(row.purge_at, now)}` : ""}`
          : ago(row.changed_at, now)}
      </td>
      <td className="end num muted c-files">{count(row.entries)}</td>
      <td className="end num muted c-size">{size(row.bytes)}</td>
      <td className="ws-more">
        <button
          type="button"
          className="btn btn-ghost btn-icon btn-sm"
          aria-label={`Actions for ${row.name}`}
          aria-haspopup="menu"
          onClick={(event) => popups.menu(event.currentTarget, menuOf(row, acts))}
        >
          <Icon name="more" />
        </button>
      </td>
    </tr>
  );
}

/** How its folder on this computer stands; null: it has none. */
function Here({ brief }: { brief: SyncBrief | null }) {
  if (!brief)
    return (
      <span className="row gap2 faint">
        <Icon name="cloud" className="icon-sm" />
        Not downloaded
      </span>
    );
  const { icon, tone, text } = listedWords(brief);
  return (
    <span className="row gap2">
      <Icon name={icon} className={`icon-sm ${tone}`} />
      {text}
    </span>
  );
}

function Session({ row, now }: { row: Workspace; now: number }) {
  const words = row.deleted_at ? null : sessionWords(row, now);
  if (!words) return <None />;
  return (
    <span className="row gap2 ws-session">
      {words.icon === "dot" ? (
        <span className={`dot ${words.tone}`} />
      ) : (
        <Icon name={words.icon} className={words.tone} />
      )}
      <span className="truncate" title={words.word}>
        {words.word}
      </span>
    </span>
  );
}

/** A value that is not there. */
function None() {
  return (
    <span className="faint">
      <span aria-hidden="true">–</span>
      <span className="visually-hidden">none</span>
    </span>
  );
}

function focusRow(row: Element | null): void {
  row?.querySelector<HTMLElement>(".ws-open")?.focus();
}

/** Where rows will stand; shown only when they take long enough to be missed. */
export function RowsToCome() {
  return (
    <div className="ws-table late" role="status" aria-label="Loading the workspaces">
      <table className="table" aria-hidden="true">
        <tbody>
          {[62, 48, 70, 40, 55].map((width) => (
            <tr key={width}>
              <td style={{ width: "34%" }}>
                <span className="skeleton" style={{ width: `${width}%` }} />
              </td>
              <td>
                <span className="skeleton" style={{ width: "56px" }} />
              </td>
              <td>
                <span className="skeleton" style={{ width: "96px" }} />
              </td>
              <td>
                <span className="skeleton" style={{ width: "64px" }} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
