/** The editor's place: tabs, the way to the file, what is to be said about it, and the text or its viewer. */
import { Fragment, useEffect, useRef, useState } from "react";
import { action } from "../../bench/actions";
import { useBench, useHere, useStore } from "../../bench/bench";
import { Empty } from "../../ui/Empty";
import { Icon } from "../../ui/Icon";
import { Waiting } from "../../ui/Waiting";
import { Compare } from "./Compare";
import type { Editor, Texts } from "./editor";
import { Nothing } from "./Nothing";
import { ConflictNotice, Notice } from "./Notice";
import { Tabs } from "./Tabs";
import { troubleActions } from "./trouble";
import { Viewer } from "./Viewer";
import "./editor.css";

/** `hidden` while something else stands in its place. */
export function EditorArea({ editor, hidden = false }: { editor: Editor; hidden?: boolean }) {
  const { host } = useBench();
  const [buffers, setBuffers] = useState<Texts | null>(null);
  const [failed, setFailed] = useState(false);
  useEffect(() => {
    let gone = false;
    editor.buffers.then(
      (made) => !gone && setBuffers(made),
      () => !gone && setFailed(true),
    );
    return () => {
      gone = true;
    };
  }, [editor]);
  return (
    <section className="editor-area" aria-label="Editor" hidden={hidden}>
      <Tabs editor={editor} />
      {failed ? (
        <Empty
          icon="error"
          title="The editor could not be loaded"
          text="Your files are safe. Check the connection and load the page again."
          grow
          actions={
            <button type="button" className="btn" onClick={() => host.reload()}>
              Reload
            </button>
          }
        />
      ) : buffers ? (
        <Body editor={editor} buffers={buffers} />
      ) : (
        <Waiting place="main" label="Loading the editor" />
      )}
    </section>
  );
}

function Body({ editor, buffers }: { editor: Editor; buffers: Texts }) {
  const bench = useBench();
  const host = useRef<HTMLDivElement>(null);
  const active = useStore(editor.tabs.store, (state) => state.active);
  const info = useStore(buffers.store, (state) =>
    active ? (state.byPath.get(active) ?? null) : null,
  );
  const clash = useHere(
    ({ conflicts }) => conflicts.find(({ path, copy }) => path === active || copy === active),
    undefined,
  );
  useStore(editor.comparing, ({ path }) => path);
  useEffect(() => (host.current ? editor.mount(host.current) : undefined), [editor]);
  const text = info !== null && ["text", "large", "loading"].includes(info.shape);
  const compare = editor.compared !== null;
  return (
    <>
      {active ? <Crumbs path={active} /> : null}
      {clash ? (
        <ConflictNotice
          action={action("conflict.open", "Compare and choose", "merge", () =>
            bench.enterConflict(clash.copy),
          )}
        />
      ) : null}
      {info ? <Notice info={info} actions={troubleActions(bench.host, editor)} /> : null}
      {compare && active ? (
        <Compare key={`${active} ${info?.theirsHash}`} path={active} buffers={buffers} />
      ) : null}
      <div className="editor-host" ref={host} hidden={!text || compare} />
      {active === null ? <Nothing editor={editor} /> : null}
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
