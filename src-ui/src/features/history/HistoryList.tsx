/** The versions of a file in the side bar, by day; one of them is held against the present. */
import { type KeyboardEvent, useState } from "react";
import { useBench, useStore } from "../../bench/bench";
import { SideHead } from "../../bench/SideHead";
import type { Version } from "../../host/generated/api/Version";
import { isOffline } from "../../host/ide";
import { lackIn } from "../../host/lack";
import { BusyButton } from "../../ui/BusyButton";
import { Empty } from "../../ui/Empty";
import { Icon } from "../../ui/Icon";
import { useNow } from "../../ui/useNow";
import { Waiting } from "../../ui/Waiting";
import { count, exactly, timeOfDay } from "../../ui/words";
import type { FileHistory } from "./model";
import { byDay, formerName, versionWords } from "./words";
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
  const { versions, loaded, failure, next } = useStore(history.store, (state) => state);
  const { version: shown } = history;
  const now = useNow(NOW_MS);
  const [busy, setBusy] = useState(false);
  const more = async () => {
    setBusy(true);
    await history.more().catch((error: unknown) => bench.failed(error));
    setBusy(false);
  };
  if (loaded === "failed" && failure) return <Failed history={history} />;
  if (loaded === "loading") return <Waiting place="side" label="Reading the versions" late />;
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the keys belong to the rows inside
    <div className="history-list" onKeyDown={walk}>
      {failure ? (
        <p className="row small muted history-note" role="status">
          <Icon name="cloud-off" className="warn" />
          The versions as they were last seen
        </p>
      ) : null}
      {versions.length === 0 ? (
        <p className="small muted history-note">The server has no version of it yet.</p>
      ) : null}
      {byDay(versions, now).map(({ day, versions: all }) => (
        <section key={day} aria-label={day}>
          <h3 className="menu-head history-day">{day}</h3>
          <ul>
            {all.map((one) => (
              <Row
                key={`${one.revision} ${one.path}`}
                version={one}
                was={formerName(one, history.path)}
                chosen={one === shown}
                onChoose={() => {
                  history.choose(one);
                  bench.showHistory(history.path);
                }}
              />
            ))}
          </ul>
        </section>
      ))}
      {next === null ? null : (
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

function Failed({ history }: { history: FileHistory }) {
  const failure = useStore(history.store, (state) => state.failure);
  if (!failure) return null;
  if (failure.code === "only_here")
    return (
      <Empty
        icon="history"
        title="No versions are kept here"
        text="This workspace is only on this computer. On a server every version stays and can be brought back."
      />
    );
  const away = isOffline(failure);
  return (
    <Empty
      icon={away ? "cloud-off" : "error"}
      title={away ? lackIn(failure) : "The versions could not be read"}
      text={away ? "Versions are kept there. They come when it is back." : failure.detail}
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
  version: Version;
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
              revision {count(version.revision)}
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
