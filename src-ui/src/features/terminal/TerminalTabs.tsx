/** The row of shells in the panel's head: one tab each, rename, close, a new one. */
import { useState } from "react";
import { useBench, useStore } from "../../bench/bench";
import { Icon } from "../../ui/Icon";
import type { Terminals, TerminalTab } from "./terminals";
import "./terminal.css";

export function TerminalTabs({ terminals }: { terminals: Terminals }) {
  const bench = useBench();
  const tabs = useStore(terminals.store, (state) => state.tabs);
  const active = useStore(terminals.store, (state) => state.active);
  const [renaming, setRenaming] = useState<string | null>(null);
  const shells = tabs.filter((tab) => !tab.run);
  if (shells.length === 0) return null;

  const menu = (tab: TerminalTab, at: { x: number; y: number }) =>
    bench.menu(at, [
      { label: "Rename", run: () => setRenaming(tab.id) },
      { label: "New terminal", keys: "Ctrl+Shift+`", run: () => void bench.newTerminal() },
      null,
      { label: "Close", danger: true, run: () => void terminals.close(tab.id) },
    ]);

  return (
    <div className="term-tabs" role="tablist" aria-label="Terminals">
      {shells.map((tab) => {
        const title = titleOf(tab);
        if (renaming === tab.id)
          return (
            <Rename
              key={tab.id}
              value={title}
              onDone={(name) => {
                if (name !== null) terminals.rename(tab.id, name);
                setRenaming(null);
              }}
            />
          );
        return (
          <div
            key={tab.id}
            role="presentation"
            className={`term-tab${tab.id === active ? " is-selected" : ""}`}
          >
            <button
              type="button"
              role="tab"
              aria-selected={tab.id === active}
              className="term-tab-name"
              onClick={() => {
                terminals.activate(tab.id);
                bench.showPanel("terminal");
                terminals.focus(tab.id);
              }}
              onDoubleClick={() => setRenaming(tab.id)}
              onKeyDown={(event) => {
                if (event.key === "Delete") void terminals.close(tab.id);
                else if (event.key === "F2") setRenaming(tab.id);
              }}
              onAuxClick={(event) => {
                if (event.button === 1) void terminals.close(tab.id);
              }}
              onContextMenu={(event) => {
                event.preventDefault();
                menu(tab, { x: event.clientX, y: event.clientY });
              }}
            >
              <Icon name="terminal" />
              <span className="truncate">{title}</span>
              {tab.exit ? <span className="faint">ended</span> : null}
            </button>
            <button
              type="button"
              className="term-tab-close"
              // For pointers only: a list of tabs may hold nothing but tabs; keys close by Delete and the menu.
              aria-hidden="true"
              tabIndex={-1}
              title={`Close terminal ${title} (Delete)`}
              onClick={() => void terminals.close(tab.id)}
            >
              <Icon name="x" />
            </button>
          </div>
        );
      })}
    </div>
  );
}

function Rename({ value, onDone }: { value: string; onDone: (name: string | null) => void }) {
  return (
    <input
      className="term-rename"
      aria-label="Terminal name"
      // biome-ignore lint/a11y/noAutofocus: asked for by the person
      autoFocus
      defaultValue={value}
      maxLength={40}
      onFocus={(event) => event.target.select()}
      onBlur={(event) => onDone(event.target.value.trim())}
      onKeyDown={(event) => {
        if (event.key === "Enter") onDone(event.currentTarget.value.trim());
        if (event.key === "Escape") onDone(null);
        event.stopPropagation();
      }}
    />
  );
}

/** The person's name, else the program's without its noise. */
function titleOf(tab: TerminalTab): string {
  if (tab.name !== "") return tab.name;
  const title = tab.title.replace(/^[\w.-]+@[\w.-]+:\s*/, "").trim();
  return title === "" ? "bash" : title;
}
