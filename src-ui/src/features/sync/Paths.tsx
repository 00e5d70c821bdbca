/** Paths that are not in step: those that cannot move with what helps, then those that wait or move. */

import { find } from "../../bench/actions";
import { BADGES } from "../../bench/badge";
import { type Bench, useBench } from "../../bench/bench";
import type { SyncPath } from "../../host/generated/api/SyncPath";
import { Icon } from "../../ui/Icon";
import { Progress } from "../../ui/Progress";
import { count, sentence, size } from "../../ui/words";
import { leaveOut } from "./leaveOut";
import { type HelpWords, helpOf } from "./words";

/** More rows than anybody reads. */
const SHOWN = 100;

interface PathsProps {
  paths: readonly SyncPath[];
  /** All that wait or move, of which the first are listed. */
  moving: number;
}

export function Paths({ paths, moving }: PathsProps) {
  const blocked = paths.filter((one) => one.state === "blocked");
  const others = paths.filter((one) => one.state !== "blocked");
  return (
    <>
      <Group id="sync-blocked" title="Cannot sync" paths={blocked} all={blocked.length} />
      <Group
        id="sync-moving"
        title="On its way"
        paths={others}
        all={Math.max(moving, others.length)}
      />
    </>
  );
}

interface GroupProps {
  id: string;
  title: string;
  paths: readonly SyncPath[];
  all: number;
}

function Group({ id, title, paths, all }: GroupProps) {
  if (paths.length === 0) return null;
  return (
    <section aria-labelledby={id}>
      <h3 className="sync-head" id={id}>
        {title} <span className="count">{count(all)}</span>
      </h3>
      <ul>
        {paths.slice(0, SHOWN).map((one) => (
          <li key={one.path}>
            {one.state === "blocked" ? <Blocked of={one} /> : <Moving of={one} />}
          </li>
        ))}
      </ul>
      {all > paths.length || paths.length > SHOWN ? (
        <p className="small faint sync-note">
          and {count(all - Math.min(paths.length, SHOWN))} more
        </p>
      ) : null}
    </section>
  );
}

function Moving({ of }: { of: SyncPath }) {
  const bench = useBench();
  const { icon, tone, word } = BADGES[of.state];
  const moves = of.moved > 0 && of.moved < of.bytes;
  return (
    <button
      type="button"
      className="btn-reset sync-row"
      title={`${of.path}: ${word}`}
      onClick={() => bench.open(of.path)}
    >
      <Icon name={icon} className={tone} />
      <span className="sync-what">
        <span className="truncate">{of.path}</span>
        <span className="small muted num truncate">
          {moves ? (
            <>
              {size(of.moved)} of {size(of.bytes)}
              <span className="visually-hidden"> {word}</span>
            </>
          ) : (
            `${word} · ${size(of.bytes)}`
          )}
        </span>
        {moves ? <Progress label={of.path} done={of.moved} total={of.bytes} thin /> : null}
      </span>
    </button>
  );
}

function helpWith(bench: Bench, path: string, act: HelpWords["act"]): void {
  if (act === "leaveOut") void leaveOut(bench, path);
  else if (act === "folder") find(bench.actions(), "sync.folder").run();
  else bench.helpWith(path, act);
}

function Blocked({ of }: { of: SyncPath }) {
  const bench = useBench();
  const help = helpOf(of.code);
  return (
    <div className="sync-blocked">
      <Icon name="ban" className="warn" />
      <span className="sync-what">
        <span className="truncate" title={of.path}>
          {of.path}
        </span>
        <span className="small muted">{sentence(of.message ?? "The server does not take it")}</span>
        {help ? (
          <span className="sync-help">
            <button
              type="button"
              className="btn btn-sm"
              title={help.hint}
              onClick={() => helpWith(bench, of.path, help.act)}
            >
              {help.label}
            </button>
          </span>
        ) : null}
      </span>
    </div>
  );
}
