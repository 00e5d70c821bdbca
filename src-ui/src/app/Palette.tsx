/** One box for files and commands: plain text finds both, signs narrow it. What cannot be done now says why. */
import { type KeyboardEvent, useMemo, useRef, useState } from "react";
import { capsOf } from "../bench/actions";
import { useStore } from "../bench/bench";
import { Icon } from "../ui/Icon";
import { type Choice, type Offered, offer, PREFIXES } from "./choices";
import type { Fit } from "./fuzzy";
import { useModal } from "./modal";
import type { Workbench } from "./workbench";
import "./palette.css";

export function Palette({
  workbench,
  start,
  onClose,
}: {
  workbench: Workbench;
  start: string;
  onClose: () => void;
}) {
  const [text, setText] = useState(start);
  const [at, setAt] = useState(0);
  const box = useRef<HTMLDialogElement>(null);
  const { close, closed } = useModal(box, onClose);
  const version = useStore(workbench.live.store, (state) => state.treeVersion);
  const ask = (to: string) => {
    setText(to);
    setAt(0);
  };
  // biome-ignore lint/correctness/useExhaustiveDependencies: the tree is read anew when it has moved
  const { groups, count, nothing } = useMemo(
    () => offer(text, offeredBy(workbench, ask)),
    [text, workbench, version],
  );
  const flat = groups.flatMap((group) => group.choices);
  const take = (choice: Choice | undefined) => {
    if (!choice || choice.disabled) return;
    if (choice.id !== "commands" && choice.id !== "files" && !text.startsWith("?")) {
      // First back to where the focus was: what is done now may move it on.
      close();
      onClose();
    }
    choice.run();
  };
  const keys = (event: KeyboardEvent) => {
    const last = Math.max(0, flat.length - 1);
    const to = {
      ArrowDown: at >= last ? 0 : at + 1,
      ArrowUp: at <= 0 ? last : at - 1,
      PageDown: Math.min(last, at + 8),
      PageUp: Math.max(0, at - 8),
    }[event.key];
    if (to !== undefined) setAt(to);
    else if (event.key === "Enter") take(flat[at]);
    else return;
    event.preventDefault();
  };
  return (
    <dialog
      ref={box}
      className="palette"
      aria-label="Search files and commands"
      onClose={closed}
      onClick={(event) => {
        if (event.target === box.current) close();
      }}
      onKeyDown={keys}
    >
      <div className="palette-in">
        <Icon name="search" className="faint" />
        <input
          className="input-bare"
          role="combobox"
          aria-expanded="true"
          aria-controls="palette-list"
          aria-activedescendant={flat[at] ? `palette-${at}` : undefined}
          aria-label="Search files, or > for commands"
          placeholder="Search files and commands"
          autoComplete="off"
          spellCheck={false}
          value={text}
          // Not every web view puts the caret behind what is there already.
          onFocus={({ target }) => target.setSelectionRange(text.length, text.length)}
          onChange={(event) => ask(event.target.value)}
        />
        <span className="faint small num" role="status">
          {flat.length === 0 ? "" : count}
        </span>
        <Caps caps={["Esc"]} />
      </div>
      <div
        id="palette-list"
        role="listbox"
        aria-label="Results"
        className="palette-list"
        tabIndex={-1}
      >
        {groups.map((group) => (
          // biome-ignore lint/a11y/useSemanticElements: a list of choices has groups, not fieldsets
          <div key={group.title} role="group" aria-label={group.title}>
            <div className="menu-head" aria-hidden="true">
              {group.title}
            </div>
            {group.choices.map((choice) => (
              <Row
                key={choice.id}
                choice={choice}
                index={flat.indexOf(choice)}
                chosen={flat[at] === choice}
                onTake={() => take(choice)}
              />
            ))}
          </div>
        ))}
        {flat.length === 0 ? (
          <p className="palette-none faint" role="status">
            {nothing}
          </p>
        ) : null}
      </div>
      <div className="palette-foot">
        <span className="row gap2">
          <Caps caps={["↑", "↓"]} /> choose
        </span>
        <span className="row gap2">
          <Caps caps={["Enter"]} /> {text.startsWith(">") ? "run" : "open"}
        </span>
        <span className="push row gap4">
          {PREFIXES.map(([sign, word]) => (
            <span key={sign}>
              <b className="mono">{sign}</b> {word}
            </span>
          ))}
        </span>
      </div>
    </dialog>
  );
}

function Row({
  choice,
  index,
  chosen,
  onTake,
}: {
  choice: Choice;
  index: number;
  chosen: boolean;
  onTake: () => void;
}) {
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the box above takes the keys
    <div
      id={`palette-${index}`}
      role="option"
      tabIndex={-1}
      aria-selected={chosen}
      aria-disabled={choice.disabled}
      ref={(element) => {
        if (chosen) element?.scrollIntoView({ block: "nearest" });
      }}
      className={`palette-row${chosen ? " is-selected" : ""}${choice.disabled ? " is-disabled" : ""}`}
      onClick={onTake}
    >
      <Icon name={choice.icon} className="faint" />
      <span className="palette-name truncate">
        <Marked text={choice.label} marks={choice.marks} />
      </span>
      <span className="palette-detail truncate">
        <Marked text={choice.detail} marks={choice.detailMarks} />
      </span>
      <span className="push row gap3 small faint">
        {choice.warns ? <Icon name="alert" className="warn icon-sm" /> : null}
        {choice.note}
        {choice.caps.length > 0 ? <Caps caps={choice.caps} /> : null}
      </span>
    </div>
  );
}

function Marked({ text, marks }: { text: string; marks: Fit["marks"] }) {
  if (marks.length === 0) return text;
  let from = 0;
  const parts = marks.flatMap(([a, b]) => {
    const before = text.slice(from, a);
    from = b;
    return [before, <b key={a}>{text.slice(a, b)}</b>];
  });
  return (
    <>
      {parts}
      {text.slice(from)}
    </>
  );
}

export function Caps({ caps }: { caps: readonly string[] }) {
  return (
    <span className="kbds">
      {caps.map((cap) => (
        <kbd key={cap} className="kbd">
          {cap}
        </kbd>
      ))}
    </span>
  );
}

/** The caps of a chord. */
export function Keys({ chord }: { chord: string }) {
  return <Caps caps={capsOf(chord)} />;
}

function offeredBy(workbench: Workbench, ask: (text: string) => void): Offered {
  const { live, editor, bench } = workbench;
  const { active, line } = editor.facts.getState();
  const go = (to: number) => active && bench.open(active, { line: to });
  return {
    files: [...live.entries.values()].filter((entry) => entry.kind === "file"),
    recent: workbench.recent.paths(),
    badges: bench.badges.getState().byPath,
    actions: bench.actions(),
    line: active && line > 0 ? { file: active, go } : null,
    open: (path: string) => bench.open(path),
    ask,
  };
}
