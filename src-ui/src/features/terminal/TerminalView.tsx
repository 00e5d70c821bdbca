/** One terminal on the page: the screen, what its connection says, find, and the text for screen readers. */
import { type KeyboardEvent, useEffect, useRef, useState } from "react";
import { useStore } from "../../bench/bench";
import { Icon } from "../../ui/Icon";
import type { TerminalScreen } from "./screen";
import type { Terminals } from "./terminals";
import "./terminal.css";

export function TerminalView({
  terminals,
  id,
  onRestart,
}: {
  terminals: Terminals;
  id: string;
  onRestart?: () => void;
}) {
  const host = useRef<HTMLDivElement>(null);
  const [screen, setScreen] = useState<TerminalScreen | null>(null);
  const [finding, setFinding] = useState(false);
  const [reading, setReading] = useState<string | null>(null);
  const tab = useStore(terminals.store, (state) => state.tabs.find((one) => one.id === id) ?? null);

  useEffect(() => {
    let gone = false;
    let mounted: TerminalScreen | null = null;
    void terminals.screen(id).then(
      (made) => {
        if (gone || !host.current) return;
        mounted = made;
        made.mount(host.current);
        setScreen(made);
      },
      () => undefined,
    );
    return () => {
      gone = true;
      mounted?.unmount();
    };
  }, [terminals, id]);

  const keys = (event: KeyboardEvent) => {
    if (event.altKey && event.key === "F2") {
      event.preventDefault();
      setReading(screen?.text() ?? "");
    } else if (event.ctrlKey && event.shiftKey && event.key.toLowerCase() === "f") {
      event.preventDefault();
      setFinding(true);
    }
  };

  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the keys belong to the terminal inside
    <div className="term-view" onKeyDown={keys}>
      {finding && screen ? <Find screen={screen} onClose={() => setFinding(false)} /> : null}
      <div className="term-host" ref={host} />
      {tab ? <LinkNote link={tab.link} message={tab.message} exited={tab.exit !== null} /> : null}
      {tab?.exit && onRestart ? (
        <div className="term-ended">
          <span className="faint">The shell has ended. Its output stays until you close it.</span>
          <button type="button" className="btn btn-sm" onClick={onRestart}>
            New terminal
          </button>
        </div>
      ) : null}
      {reading !== null ? (
        <Reader
          text={reading}
          onClose={() => {
            setReading(null);
            screen?.focus();
          }}
        />
      ) : null}
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
  const close = () => {
    screen.search.clearDecorations();
    onClose();
    screen.focus();
  };
  return (
    <div className="term-find">
      <input
        // biome-ignore lint/a11y/noAutofocus: asked for by key
        autoFocus
        aria-label="Find in terminal"
        placeholder="Find"
        value={text}
        onChange={(event) => {
          setText(event.target.value);
          screen.search.findNext(event.target.value, { incremental: true });
        }}
        onKeyDown={(event) => {
          if (event.key === "Escape") close();
          else if (event.key === "Enter" && event.shiftKey) screen.search.findPrevious(text);
          else if (event.key === "Enter") screen.search.findNext(text);
        }}
      />
      <button
        type="button"
        className="btn btn-ghost btn-icon btn-sm"
        aria-label="Close find"
        onClick={close}
      >
        <Icon name="x" />
      </button>
    </div>
  );
}

/** The buffer as a plain text that a screen reader reads line by line. */
function Reader({ text, onClose }: { text: string; onClose: () => void }) {
  const area = useRef<HTMLTextAreaElement>(null);
  useEffect(() => {
    const element = area.current;
    if (!element) return;
    element.focus();
    element.setSelectionRange(element.value.length, element.value.length);
    element.scrollTop = element.scrollHeight;
  }, []);
  return (
    <textarea
      ref={area}
      className="term-reader"
      aria-label="Terminal output as text. Escape closes it."
      readOnly
      value={text}
      onKeyDown={(event) => {
        if (event.key === "Escape") onClose();
        event.stopPropagation();
      }}
    />
  );
}
