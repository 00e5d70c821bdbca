/** The row of shells in the panel's head: one tab each, rename and close. */
import { entryOf, find } from "../../bench/actions";
import { useBench, useStore } from "../../bench/bench";
import { onTabKeys } from "../../bench/tabs";
import { Icon } from "../../ui/Icon";
import { namesOf } from "./names";
import type { Terminals, TerminalTab } from "./terminals";
import "./terminal.css";

const PLACES: Record<TerminalTab["place"], string> = { here: "this computer", session: "session" };

const MENU = [
  "terminal.new",
  "terminal.rename",
  "terminal.paste",
  "terminal.find",
  "terminal.clear",
  "terminal.read",
];

export function TerminalTabs({ terminals }: { terminals: Terminals }) {
  const bench = useBench();
  const tabs = useStore(terminals.store, (state) => state.tabs);
  const active = useStore(terminals.store, (state) => state.active);
  const aside = useStore(terminals.store, (state) => state.aside);
  // Those of this computer first; where there are such, each says where it runs.
  const of = (place: TerminalTab["place"]) => tabs.filter((tab) => !tab.run && tab.place === place);
  const groups = [of("here"), of("session")] as const;
  const shells = groups.flat();
  if (shells.length === 0) return null;

  const names = groups.flatMap((group) => namesOf(group));
  const places = bench.here ? PLACES : null;
  const take = (id: string) => {
    terminals.activate(id);
    bench.showPanel("terminal");
  };
  const menu = (tab: TerminalTab, at: { x: number; y: number }) => {
    take(tab.id);
    const actions = bench.actions();
    const entry = (id: string) => entryOf(find(actions, id));
    bench.menu(at, [...MENU.map(entry), null, entry("terminal.close")]);
  };

  return (
    <div className="term-tabs" role="tablist" aria-label="Terminals" onKeyDown={onTabKeys}>
      {shells.map((tab, index) => {
        const title = names[index] ?? "";
        if (aside?.id === tab.id && aside.what === "rename")
          return (
            <Rename
              key={tab.id}
              value={title}
              onDone={(name, byKey) => {
                if (name !== null) terminals.rename(tab.id, name);
                terminals.aside(tab.id, null);
                if (byKey) terminals.focus(tab.id);
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
              tabIndex={tab.id === active ? 0 : -1}
              className="term-tab-name"
              onClick={() => {
                take(tab.id);
                terminals.focus(tab.id);
              }}
              onFocus={() => terminals.activate(tab.id)}
              onDoubleClick={() => terminals.aside(tab.id, "rename")}
              onKeyDown={(event) => {
                if (event.key === "Delete") void terminals.close(tab.id);
                else if (event.key === "F2") terminals.aside(tab.id, "rename");
              }}
              onAuxClick={(event) => {
                if (event.button === 1) void terminals.close(tab.id);
              }}
              onContextMenu={(event) => {
                event.preventDefault();
                const box = event.currentTarget.getBoundingClientRect();
                // The menu key has no place of its own.
                menu(tab, { x: event.clientX || box.left, y: event.clientY || box.bottom });
              }}
            >
              <Icon name="terminal" />
              <span className="truncate">{title}</span>
              {places ? <span className="faint">· {places[tab.place]}</span> : null}
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

function Rename({
  value,
  onDone,
}: {
  value: string;
  onDone: (name: string | null, byKey: boolean) => void;
}) {
  return (
    <input
      className="term-rename"
      aria-label="Terminal name"
      // biome-ignore lint/a11y/noAutofocus: asked for by the person
      autoFocus
      defaultValue={value}
      maxLength={40}
      onFocus={(event) => event.target.select()}
      onBlur={(event) => onDone(event.target.value.trim(), false)}
      onKeyDown={(event) => {
        event.stopPropagation();
        if (event.key !== "Enter" && event.key !== "Escape") return;
        // The terminal has the focus before the key is over: it must not get it.
        event.preventDefault();
        onDone(event.key === "Enter" ? event.currentTarget.value.trim() : null, true);
      }}
    />
  );
}
