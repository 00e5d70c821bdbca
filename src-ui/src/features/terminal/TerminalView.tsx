/** One terminal on the page: the screen, what its connection says, find, and the text for screen readers. */
import { type KeyboardEvent, useEffect, useRef, useState } from "react";
import { chordOf } from "../../bench/actions";
import { useStore } from "../../bench/bench";
import { Icon } from "../../ui/Icon";
import { Reader } from "./Reader";
import type { TerminalScreen } from "./screen";
import type { Terminals } from "./terminals";
import "./terminal.css";

export function TerminalView({
  terminals,
  id,
  onRestart,
  onBack = null,
}: {
  terminals: Terminals;
  id: string;
  onRestart?: () => void;
  /** Leaves the last output of a session that is over. */
  onBack?: (() => void) | null;
}) {
  const host = useRef<HTMLDivElement>(null);
  const [screen, setScreen] = useState<TerminalScreen | null>(null);
  const aside = useStore(terminals.store, (state) =>
    state.aside?.id === id ? state.aside.what : null,
  );
  const close = () => {
    terminals.aside(id, null);
    screen?.focus();
  };
  const tab = useStore(terminals.store, (state) => state.tabs.find((one) => one.id === id) ?? null);

  useEffect(() => {
    let gone = false;
    let mounted: TerminalScreen | null = null;
    void terminals.screen(id).then(
      (made) => {
        if (gone || !host.current) return;
        mounted = made;
        made.mount(host.current);
        terminals.drawn(id, true);
        setScreen(made);
      },
      () => undefined,
    );
    return () => {
      gone = true;
      mounted?.unmount();
      terminals.drawn(id, false);
    };
  }, [terminals, id]);

  const keys = (event: KeyboardEvent) => {
    if (chordOf(event) !== "Ctrl+Shift+F") return;
    event.preventDefault();
    terminals.aside(id, "find");
  };

  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the keys belong to the terminal inside
    <div className="term-view" onKeyDown={keys}>
      {aside === "find" && screen ? <Find screen={screen} onClose={close} /> : null}
      <div className="term-host" ref={host} />
      {tab ? (
        <LinkNote
          link={tab.link}
          message={tab.message}
          exited={tab.exit !== null || onBack !== null}
        />
      ) : null}
      {tab?.exit && onRestart && !onBack ? (
        <div className="term-ended">
          <span className="faint">The shell has ended. Its output stays until you close it.</span>
          <button type="button" className="btn btn-sm" onClick={onRestart}>
            <Icon name="rotate" /> Restart
          </button>
        </div>
      ) : null}
      {onBack ? (
        <div className="term-ended">
          <span className="faint">The last output of a session that is over.</span>
          <button type="button" className="btn btn-sm" onClick={onBack}>
            Back
          </button>
        </div>
      ) : null}
      {aside === "read" && screen ? <Reader text={screen.text()} onClose={close} /> : null}
    </div>
  );
}

function LinkNote({ link, message, exited }: { link: string; message: string; exited: boolean }) {
  if (link === "live" || link === "attaching" || exited) return null;
  const text =
    link === "lost"
      ? "Reconnecting. What you type now is sent as soon as the server answers."
      : link === "stale"
        ? "Not connected. Typing waits until the terminal answers again."
        : message || "This terminal is over. Its last output stays here.";
  return (
    <div className="term-note" role="status">
      <Icon name={link === "over" ? "dot" : "cloud-off"} />
      {text}
    </div>
  );
}

function Find({ screen, onClose }: { screen: TerminalScreen; onClose: () => void }) {
  const [text, setText] = useState("");
  const [found, setFound] = useState<{ at: number; of: number } | null>(null);
  useEffect(() => {
    const told = screen.search.onDidChangeResults(({ resultIndex, resultCount }) =>
      setFound({ at: resultIndex + 1, of: resultCount }),
    );
    return () => {
      told.dispose();
      screen.search.clearDecorations();
    };
  }, [screen]);
  const seek = (forward: boolean, incremental = false, wanted = text) => {
    const options = { incremental, decorations: screen.marks() };
    if (forward) screen.search.findNext(wanted, options);
    else screen.search.findPrevious(wanted, options);
  };
  const words =
    text === "" || !found ? "" : found.of === 0 ? "No match" : `${found.at} of ${found.of}`;
  return (
    // biome-ignore lint/a11y/useSemanticElements: it stands in no form
    <div className="term-find" role="search" aria-label="Find in terminal">
      <input
        // biome-ignore lint/a11y/noAutofocus: asked for by key
        autoFocus
        aria-label="Find in terminal"
        placeholder="Find"
        spellCheck={false}
        value={text}
        onChange={(event) => {
          setText(event.target.value);
          seek(true, true, event.target.value);
        }}
        onKeyDown={(event) => {
          if (event.key === "Escape") onClose();
          else if (event.key === "Enter") seek(!event.shiftKey);
          else return;
          event.preventDefault();
        }}
      />
      <span className="small faint num term-found" role="status">
        {words}
      </span>
      {(
        [
          ["chevron-up", "Previous match (Shift+Enter)", () => seek(false)],
          ["chevron-down", "Next match (Enter)", () => seek(true)],
          ["x", "Close find (Escape)", onClose],
        ] as const
      ).map(([icon, label, run]) => (
        <button
          key={icon}
          type="button"
          className="btn btn-ghost btn-icon btn-sm"
          aria-label={label}
          title={label}
          onClick={run}
        >
          <Icon name={icon} />
        </button>
      ))}
    </div>
  );
}
