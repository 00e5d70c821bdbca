/** The tabs of the open files. */
import { useEffect, useRef } from "react";
import { BADGES } from "../../bench/badge";
import { useBench, useStore } from "../../bench/bench";
import { onTabKeys } from "../../bench/tabs";
import { fileIcon } from "../../ui/fileIcon";
import { Icon } from "../../ui/Icon";
import type { Editor } from "./editor";
import type { OpenTab } from "./tabs";

export function Tabs({ editor }: { editor: Editor }) {
  const { tabs, active } = useStore(editor.tabs.store, (state) => state);
  const list = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (active !== null)
      list.current?.querySelector("[aria-selected=true]")?.scrollIntoView({ block: "nearest" });
  }, [active]);
  if (tabs.length === 0) return null;
  return (
    <div
      ref={list}
      className="tabs editor-tabs"
      role="tablist"
      aria-label="Open files"
      onKeyDown={onTabKeys}
    >
      {tabs.map((tab) => (
        <Tab key={tab.path} editor={editor} tab={tab} all={tabs} selected={tab.path === active} />
      ))}
    </div>
  );
}

function Tab({
  editor,
  tab,
  all,
  selected,
}: {
  editor: Editor;
  tab: OpenTab;
  all: readonly OpenTab[];
  selected: boolean;
}) {
  const bench = useBench();
  const badge = useStore(bench.badges, ({ byPath }) => byPath.get(tab.path));
  const deleted = useStore(
    bench.live.store,
    ({ loaded }) => loaded === "ready" && !bench.live.entries.has(tab.path),
  );
  const state = badge ? BADGES[badge] : deleted ? BADGES.deleted : null;
  const name = nameOf(tab.path);
  const folder = all.some((one) => one !== tab && nameOf(one.path) === name)
    ? tab.path.slice(0, -name.length - 1)
    : "";
  const menu = (at: { x: number; y: number } | Element) =>
    bench.menu(at, [
      { label: "Close", keys: "Alt+W", run: () => editor.close(tab.path) },
      { label: "Close others", run: () => editor.closeOthers(tab.path) },
      ...(tab.preview ? [{ label: "Keep open", run: () => editor.tabs.pin(tab.path) }] : []),
      null,
      { label: "History", run: () => bench.enterHistory(tab.path) },
      { label: "Copy path", run: () => void bench.host.clipboard.write(tab.path) },
    ]);
  return (
    <div
      role="presentation"
      className={`tab editor-tab${selected ? " is-selected" : ""}`}
      title={tab.path}
    >
      <button
        type="button"
        role="tab"
        aria-selected={selected}
        aria-label={[[name, folder].filter(Boolean).join(" "), state?.word]
          .filter(Boolean)
          .join(", ")}
        tabIndex={selected ? 0 : -1}
        className="editor-tab-name"
        onClick={() => editor.open(tab.path, { preview: tab.preview })}
        onDoubleClick={() => editor.tabs.pin(tab.path)}
        onKeyDown={(event) => {
          if (event.key === "Delete") editor.close(tab.path);
        }}
        onAuxClick={(event) => {
          if (event.button === 1) editor.close(tab.path);
        }}
        onContextMenu={(event) => {
          event.preventDefault();
          const byKey = event.clientX === 0 && event.clientY === 0;
          menu(byKey ? event.currentTarget : { x: event.clientX, y: event.clientY });
        }}
      >
        <Icon name={fileIcon(name)} className="faint" />
        <span className={tab.preview ? "editor-preview" : ""}>{name}</span>
        {folder ? <span className="faint small">{folder}</span> : null}
      </button>
      <button
        type="button"
        className={`editor-tab-close${state ? " has-state" : ""}`}
        // For pointers only: a list of tabs may hold nothing but tabs; keys close by Alt+W and the menu.
        aria-hidden="true"
        title={`Close ${name} (Alt+W)`}
        tabIndex={-1}
        onClick={() => editor.close(tab.path)}
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
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
