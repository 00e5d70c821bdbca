/** The editor's place: tabs, the way to the file, what is to be said about it, and the text or its viewer. */
import { Fragment, useEffect, useRef, useState } from "react";
import { type Badge, useBench, useStore } from "../../bench/bench";
import { Icon } from "../../ui/Icon";
import type { BufferInfo, Buffers } from "./buffers";
import { Compare } from "./Compare";
import type { EditorSession } from "./session";
import { Viewer } from "./Viewer";
import "./editor.css";

const BADGE: Record<Badge, { icon: string; tone: string; word: string }> = {
  unsaved: { icon: "dot", tone: "warn", word: "Unsaved" },
  saving: { icon: "refresh", tone: "accent", word: "Saving" },
  waiting: { icon: "arrow-up", tone: "warn", word: "Waits for the server" },
  failed: { icon: "error", tone: "danger", word: "Not saved" },
  conflict: { icon: "alert", tone: "warn", word: "Conflict" },
  uploading: { icon: "arrow-up", tone: "accent", word: "Uploading" },
};

export function EditorArea({ session }: { session: EditorSession }) {
  const { host } = useBench();
  const [buffers, setBuffers] = useState<Buffers | null>(null);
  const [failed, setFailed] = useState(false);
  useEffect(() => {
    let gone = false;
    session.buffers.then(
      (made) => !gone && setBuffers(made),
      () => !gone && setFailed(true),
    );
    return () => {
      gone = true;
    };
  }, [session]);
  return (
    <section className="editor-area" aria-label="Editor">
      <Tabs session={session} />
      {failed ? (
        <div className="empty">
          <Icon name="error" />
          <h2>The editor could not be loaded</h2>
          <p>Your files are safe. Check the connection and load the page again.</p>
          <div className="actions">
            <button type="button" className="btn" onClick={() => host.reload()}>
              Reload
            </button>
          </div>
        </div>
      ) : buffers ? (
        <Body session={session} buffers={buffers} />
      ) : (
        <div className="editor-wait" role="status" aria-label="Loading the editor">
          <span className="skeleton" style={{ width: "38%" }} />
          <span className="skeleton" style={{ width: "52%" }} />
          <span className="skeleton" style={{ width: "30%" }} />
        </div>
      )}
    </section>
  );
}

function Tabs({ session }: { session: EditorSession }) {
  const bench = useBench();
  const { tabs, active } = useStore(session.tabs, (state) => state);
  const badges = useStore(session.facts, (facts) => facts.badges);
  if (tabs.length === 0) return null;
  return (
    <div className="tabs editor-tabs" role="tablist" aria-label="Open files">
      {tabs.map((tab) => {
        const name = tab.path.slice(tab.path.lastIndexOf("/") + 1);
        const badge = badges.get(tab.path);
        const state = badge ? BADGE[badge] : null;
        const selected = tab.path === active;
        return (
          <div
            key={tab.path}
            role="presentation"
            className={`tab editor-tab${selected ? " is-selected" : ""}`}
            title={tab.path}
          >
            <button
              type="button"
              role="tab"
              aria-selected={selected}
              className="editor-tab-name"
              onClick={() => session.open(tab.path, { preview: tab.preview })}
              onDoubleClick={() => session.pin(tab.path)}
              onAuxClick={(event) => {
                if (event.button === 1) void session.close(tab.path);
              }}
              onContextMenu={(event) => {
                event.preventDefault();
                bench.menu({ x: event.clientX, y: event.clientY }, [
                  { label: "Close", keys: "Alt+W", run: () => void session.close(tab.path) },
                  {
                    label: "Close others",
                    run: () => {
                      for (const one of tabs)
                        if (one.path !== tab.path) void session.close(one.path);
                    },
                  },
                  null,
                  { label: "Copy path", run: () => void bench.host.clipboard.write(tab.path) },
                ]);
              }}
            >
              <Icon name="file-code" />
              <span className={tab.preview ? "editor-preview" : ""}>{name}</span>
              {state ? <span className="visually-hidden">, {state.word}</span> : null}
            </button>
            <button
              type="button"
              className={`editor-tab-close${state ? " has-state" : ""}`}
              // For pointers only: a list of tabs may hold nothing but tabs; keys close by Alt+W and the menu.
              aria-hidden="true"
              title={`Close ${name} (Alt+W)`}
              tabIndex={-1}
              onClick={() => void session.close(tab.path)}
            >
              {state ? (
                <span className={`${state.tone} editor-tab-state`} title={state.word}>
                  <Icon name={state.icon} />
                </span>
              ) : null}
              <Icon name="x" className="editor-tab-x" />
            </button>
          </div>
        );
      })}
    </div>
  );
}

function Body({ session, buffers }: { session: EditorSession; buffers: Buffers }) {
  const host = useRef<HTMLDivElement>(null);
  const active = useStore(session.tabs, (state) => state.active);
  const info = useStore(buffers.store, (state) =>
    active ? (state.byPath.get(active) ?? null) : null,
  );
  const [comparing, setComparing] = useState<string | null>(null);
  useEffect(() => (host.current ? session.mount(host.current) : undefined), [session]);
  const text = info !== null && ["text", "large", "loading"].includes(info.shape);
  const compare = comparing !== null && comparing === active && info?.save === "conflict";
  return (
    <>
      {active ? <Crumbs path={active} /> : null}
      {info ? (
        <Notice
          info={info}
          buffers={buffers}
          session={session}
          onCompare={() => setComparing(info.path)}
        />
      ) : null}
      {compare && active ? <Compare path={active} buffers={buffers} /> : null}
      <div className="editor-host" ref={host} hidden={!text || compare} />
      {active === null ? <Nothing /> : null}
      {info && !text ? (
        <Viewer
          info={info}
          content={buffers.content(info.path)}
          onRetry={() => void buffers.reload(info.path)}
        />
      ) : null}
    </>
  );
}

function Crumbs({ path }: { path: string }) {
  const parts = path.split("/");
  return (
    <nav className="crumbs" aria-label="Path">
      {parts.map((part, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: parts of one path have no other key
        <Fragment key={index}>
          {index > 0 ? <Icon name="chevron-right" /> : null}
          <span className={index === parts.length - 1 ? "muted" : ""}>{part}</span>
        </Fragment>
      ))}
    </nav>
  );
}

function Notice({
  info,
  buffers,
  session,
  onCompare,
}: {
  info: BufferInfo;
  buffers: Buffers;
  session: EditorSession;
  onCompare: () => void;
}) {
  if (info.save === "conflict")
    return (
      <div className="banner warn file-banner" role="alert">
        <Icon name="alert" />
        <span className="grow">
          <b className="medium">This file changed elsewhere.</b> {info.problem} Both versions are
          kept until you choose.
        </span>
        <button type="button" className="btn btn-sm" onClick={onCompare}>
          Compare
        </button>
        <button
          type="button"
          className="btn btn-sm"
          onClick={() => void buffers.keepMine(info.path)}
        >
          Keep mine
        </button>
        <button type="button" className="btn btn-sm" onClick={() => buffers.takeTheirs(info.path)}>
          Take theirs
        </button>
      </div>
    );
  if (info.gone)
    return (
      <div className="banner warn file-banner" role="alert">
        <Icon name="trash" />
        <span className="grow">
          <b className="medium">This file was deleted elsewhere.</b> Its text is still here.
        </span>
        <button type="button" className="btn btn-sm" onClick={() => void buffers.save(info.path)}>
          Bring it back
        </button>
        <button
          type="button"
          className="btn btn-sm"
          onClick={() => void buffers.discard(info.path).then(() => session.closed(info.path))}
        >
          Close it
        </button>
      </div>
    );
  if (info.save === "failed")
    return (
      <div className="banner danger file-banner" role="alert">
        <Icon name="error" />
        <span className="grow">
          <b className="medium">Not saved.</b> {info.problem} Your text is kept on this computer.
        </span>
        <button type="button" className="btn btn-sm" onClick={() => void buffers.save(info.path)}>
          Save again
        </button>
      </div>
    );
  if (info.shape === "large")
    return (
      <div className="banner file-banner" role="status">
        <Icon name="info" />
        <span>This file is larger than 5 MB, so it opens for reading only.</span>
      </div>
    );
  return null;
}

function Nothing() {
  return (
    <div className="editor-nothing">
      <Icon name="mark" />
      <dl>
        <dt>Open a file</dt>
        <dd>
          <span className="kbd">Ctrl</span> <span className="kbd">P</span>
        </dd>
        <dt>All commands</dt>
        <dd>
          <span className="kbd">Ctrl</span> <span className="kbd">Shift</span>{" "}
          <span className="kbd">P</span>
        </dd>
        <dt>Run</dt>
        <dd>
          <span className="kbd">Ctrl</span> <span className="kbd">F5</span>
        </dd>
        <dt>Terminal</dt>
        <dd>
          <span className="kbd">Ctrl</span> <span className="kbd">`</span>
        </dd>
      </dl>
    </div>
  );
}
