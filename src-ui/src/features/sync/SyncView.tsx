/** How this workspace and the server keep in step: what waits, what needs a person, and what came in lately. */
import type { ReactNode } from "react";
import { find } from "../../bench/actions";
import { Act } from "../../bench/Buttons";
import { useBench, useHere, useStore } from "../../bench/bench";
import { SideHead } from "../../bench/SideHead";
import { briefWords, heldWords } from "../../bench/syncWords";
import type { Sync } from "../../host/generated/api/Sync";
import type { Here } from "../../host/here";
import { Empty } from "../../ui/Empty";
import { Icon } from "../../ui/Icon";
import { useNow } from "../../ui/useNow";
import { Waiting } from "../../ui/Waiting";
import { Arrivals, Notices } from "./Arrivals";
import { Bout } from "./Bout";
import { ConflictList } from "./ConflictList";
import { OddNames } from "./OddNames";
import { Paths } from "./Paths";
import { actOf, standWords, waitingWords } from "./words";
import "./sync.css";
import { many } from "../../ui/words";

const NOW_MS = 1_000;

export function SyncView({ here }: { here: Here }) {
  const sync = useStore(here.store, (state) => state.sync);
  const failure = useStore(here.store, (state) => state.failure);
  const workspace = useStore(here.store, (state) => state.workspace);
  return (
    <>
      <SideHead title="Sync" />
      <div className="sync-view">
        {sync ? (
          <>
            <Stand here={here} sync={sync} />
            {sync.held ? <Held here={here} held={sync.held} /> : null}
            <ConflictList here={here} />
            <Paths paths={sync.state === "local" ? [] : sync.paths} moving={sync.up + sync.down} />
            <OddNames names={sync.odd} />
            <Arrivals here={here} arrivals={sync.arrivals} />
            <Notices notices={sync.notices} />
            {sync.partly_watched ? (
              <p className="small muted sync-note">
                This system cannot watch all folders. Changes by other programs are found within
                half a minute.
              </p>
            ) : null}
          </>
        ) : failure ? (
          <Empty
            icon="error"
            title="How it stands could not be read"
            text={`${failure.detail} Your files are on this computer.`}
            alert
            actions={
              <>
                <button type="button" className="btn" onClick={() => void here.pullSync()}>
                  Try again
                </button>
                {workspace && !workspace.there ? <GetAgain /> : null}
              </>
            }
          />
        ) : (
          <Waiting place="side" label="Reading how it stands" late />
        )}
      </div>
      {workspace ? <Folder folder={workspace.folder} there={workspace.there} /> : null}
    </>
  );
}

/** The whole in a sentence, and the one act that helps. */
function Stand({ here, sync }: { here: Here; sync: Sync }) {
  const bench = useBench();
  const status = useStore(bench.live.store, (state) => state.connection);
  const nextAt = "nextAt" in status ? status.nextAt : null;
  const now = useNow(nextAt === null ? 0 : NOW_MS);
  const work = useStore(here.store, (state) => state.work);
  const brief = briefWords(sync, work);
  // Deletions that are held are a difference, though nothing else waits.
  const { icon, tone, text } = sync.held && brief.tone === "ok" ? heldWords(sync.held.many) : brief;
  return (
    <section className="sync-stand" aria-label="State">
      <div className="row gap3" role="status">
        <Icon name={icon} className={tone} />
        <span className="medium grow">{text}</span>
        <span className="faint small num">{waitingWords(sync)}</span>
      </div>
      <Bout here={here} files={sync.conflicts + sync.blocked > 0} />
      <p className="small muted">{standWords(sync)}</p>
      {sync.reason && sync.state !== "broken" ? <p className="small faint">{sync.reason}</p> : null}
      <StandAct sync={sync}>
        {nextAt === null ? null : (
          <span className="small faint num">
            next try in {Math.max(1, Math.ceil((nextAt - now) / 1000))} s
          </span>
        )}
      </StandAct>
    </section>
  );
}

function StandAct({ sync, children }: { sync: Sync; children: ReactNode }) {
  const bench = useBench();
  const helps = actOf(sync, bench.live.connection.status.state === "signed-out");
  if (!helps) return null;
  const [id, words] = helps;
  return (
    <div className="row gap3 sync-acts">
      <Act action={find(bench.actions(), id)} small>
        {words}
      </Act>
      {sync.state === "broken" ? <GetAgain small /> : null}
      {children}
    </div>
  );
}

/** A folder that is gone comes again from a server that knows it. */
function GetAgain({ small = false }: { small?: boolean }) {
  const bench = useBench();
  const known = useHere(({ workspace }) => workspace?.remote !== undefined, false);
  if (!known) return null;
  return (
    <Act action={find(bench.actions(), "sync.again")} small={small}>
      Get it again
    </Act>
  );
}

/** So many deletions at once may be a mistake: the server keeps the files until somebody says so. */
function Held({ here, held }: { here: Here; held: NonNullable<Sync["held"]> }) {
  const bench = useBench();
  const decide = async (what: () => Promise<unknown>, said: string) => {
    try {
      await what();
      bench.toast({ text: said });
    } catch (error) {
      bench.failed(error);
    }
  };
  const entries = many(held.many, "file", "files and folders");
  return (
    <section className="sync-card" aria-label="Held deletions">
      <div className="row gap3">
        <Icon name="trash" className="warn" />
        <span className="medium">
          {held.many} of {held.of} files and folders were deleted
        </span>
      </div>
      <p className="small muted">
        Here, and not on the server yet: so many at once may be a mistake. Nothing is lost until you
        decide.
      </p>
      <ul className="small faint sync-few">
        {held.paths.slice(0, 3).map((path) => (
          <li key={path} className="truncate">
            {path}
          </li>
        ))}
        {held.many > 3 ? <li>and {held.many - 3} more</li> : null}
      </ul>
      <div className="row gap3 sync-acts">
        <button
          type="button"
          className="btn btn-sm"
          onClick={() => void decide(here.bringBack, `${entries} came back.`)}
        >
          Bring them back
        </button>
        <button
          type="button"
          className="btn btn-sm"
          onClick={() =>
            void decide(here.confirm, `${entries} go on the server, too. Its history keeps them.`)
          }
        >
          Delete them there, too
        </button>
      </div>
    </section>
  );
}

function Folder({ folder, there }: { folder: string; there: boolean }) {
  const { host } = useBench();
  return (
    <div className="sync-foot">
      <Icon name="disk" className="icon-sm faint" />
      <span className="truncate mono" title={folder}>
        {folder}
      </span>
      <button
        type="button"
        className="btn btn-ghost btn-icon btn-sm push"
        aria-label="Show the folder"
        title="Show the folder"
        disabled={!there}
        onClick={() => host.desktop?.showFolder(folder)}
      >
        <Icon name="external" className="icon-sm" />
      </button>
    </div>
  );
}
