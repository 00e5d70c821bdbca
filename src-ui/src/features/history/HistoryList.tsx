/** The versions of a file in the side bar, by day; one of them is held against the present. */
import { type KeyboardEvent, useState } from "react";
import { useBench, useStore } from "../../bench/bench";
import { SideHead } from "../../bench/SideHead";
import { isOffline } from "../../host/ide";
import { lackIn } from "../../host/lack";
import { BusyButton } from "../../ui/BusyButton";
import { Empty } from "../../ui/Empty";
import { Icon } from "../../ui/Icon";
import { useNow } from "../../ui/useNow";
import { Waiting } from "../../ui/Waiting";
import { exactly, timeOfDay } from "../../ui/words";
import type { FileHistory } from "./model";
import type { Past } from "./versions";
import { byDay, formerName, lacking, placeWords, versionWords } from "./words";
import "./history.css";

const NOW_MS = 60_000;

export function HistoryList({ history }: { history: FileHistory | null }) {
  return (
    <>
      <SideHead
        title={
          history
            ? `History of ${history.path.slice(history.path.lastIndexOf("/") + 1)}`
            : "History"
        }
      />
      {history ? (
        <Versions history={history} />
      ) : (
        <Empty icon="history" title="No file is open" text="Open a file to see its versions." />
      )}
    </>
  );
}

function Versions({ history }: { history: FileHistory }) {
  const bench = useBench();
  const state = useStore(history.store, (one) => one);
  const { versions, server } = state;
  const { at } = history;
  const now = useNow(NOW_MS);
  const [busy, setBusy] = useState(false);
  const more = async () => {
    setBusy(true);
    await history.more().catch((error: unknown) => bench.failed(error));
    setBusy(false);
  };
  if (versions.length === 0) return <None history={history} />;
  const lack = lacking(state);
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the keys belong to the rows inside
    <div className="history-list" onKeyDown={walk}>
      {lack ? (
        <p className="row small muted history-note" role="status">
          <Icon name={server.failure ? "cloud-off" : "error"} className="warn" />
          {lack}
        </p>
      ) : null}
      {byDay(versions, now).map(({ day, versions: all }) => (
        <section key={day} aria-label={day}>
          <h3 className="menu-head history-day">{day}</h3>
          <ul>
            {all.map((one) => (
              <Row
                key={`${one.here ? "here" : "server"} ${one.revision} ${one.path}`}
                version={one}
                was={formerName(one, history.path)}
                chosen={one === versions[at]}
                onChoose={() => {
                  history.choose(one);
                  bench.showHistory(history.path);
                }}
              />
            ))}
          </ul>
        </section>
      ))}
      {server.next === null || server.failure ? null : (
        <BusyButton
          type="button"
          className="btn btn-ghost btn-sm history-more"
          busy={busy}
          onClick={() => void more()}
        >
          Show older
        </BusyButton>
      )}
    </div>
  );
}

/** In place of versions. */
function None({ history }: { history: FileHistory }) {
  const { here } = useBench();
  const { loaded, server, here: own } = useStore(history.store, (state) => state);
  if (!loaded) return <Waiting place="side" label="Reading the versions" late />;
  const failure = server.failure ?? own.failure;
  if (!failure)
    return <Empty icon="history" title="No versions yet" text="They begin with the next save." />;
  const away = isOffline(failure);
  const awaited = here
    ? "Versions begin with the next save here. The server's come when it is back."
    : "Versions are kept there. They come when it is back.";
  return (
    <Empty
      icon={away ? "cloud-off" : "error"}
      title={away ? lackIn(failure) : "The versions could not be read"}
      text={away ? awaited : failure.detail}
      alert
      actions={
        <button type="button" className="btn" onClick={() => void history.load()}>
          Try again
        </button>
      }
    />
  );
}

function Row({
  version,
  was,
  chosen,
  onChoose,
}: {
  version: Past;
  /** What the file was called then, if otherwise. */
  was: string | null;
  chosen: boolean;
  onChoose: () => void;
}) {
  const { icon, word } = versionWords(version);
  return (
    <li>
      <button
        type="button"
        className={`btn-reset history-row${chosen ? " is-selected" : ""}`}
        aria-current={chosen ? "true" : undefined}
        title={exactly(version.at)}
        onClick={onChoose}
      >
        <span className="num muted">{timeOfDay(version.at)}</span>
        <span className="history-what">
          <span className="truncate">{word}</span>
          <span className="row gap2 small muted num">
            <Icon name={icon} className="icon-xs" />
            <span className="truncate">
              {placeWords(version)}
              {version.kept || !version.entry ? "" : ", no longer kept"}
              {was ? `, was ${was}` : ""}
            </span>
          </span>
        </span>
      </button>
    </li>
  );
}

/** Arrow keys go from version to version. */
function walk(event: KeyboardEvent<HTMLElement>): void {
  const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (by === undefined) return;
  const rows = [...event.currentTarget.querySelectorAll<HTMLElement>(".history-row")];
  const at = rows.indexOf(event.target as HTMLElement);
  if (at < 0) return;
  event.preventDefault();
  rows[at + by]?.focus();
}
