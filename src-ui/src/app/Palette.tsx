/** One box for files and commands: plain text finds files, `>` commands. What cannot be done now says why. */
import { useEffect, useMemo, useRef, useState } from "react";
import { Icon } from "../ui/Icon";
import { actionsOf, type Frames } from "./actions";
import type { Workbench } from "./workbench";
import "./palette.css";

interface Choice {
  label: string;
  detail: string;
  icon: string;
  unavailable?: boolean;
  run: () => void;
}

const SHOWN = 40;

export function Palette({
  workbench,
  frames,
  start,
  onClose,
}: {
  workbench: Workbench;
  frames: Frames;
  start: string;
  onClose: () => void;
}) {
  const [text, setText] = useState(start);
  const [at, setAt] = useState(0);
  const box = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    box.current?.showModal();
  }, []);
  const choices = useMemo(() => {
    const wanted = text.replace(/^>/, "").trim().toLowerCase();
    const all = text.startsWith(">") ? commands(workbench, frames) : files(workbench);
    return all
      .map((choice) => ({ choice, rank: rank(`${choice.detail} ${choice.label}`, wanted) }))
      .filter((one) => one.rank >= 0)
      .sort((a, b) => b.rank - a.rank)
      .slice(0, SHOWN)
      .map((one) => one.choice);
  }, [text, workbench, frames]);
  const take = (choice: Choice | undefined) => {
    if (!choice || choice.unavailable) return;
    onClose();
    choice.run();
  };
  return (
    <dialog
      ref={box}
      className="palette"
      aria-label="Search files and commands"
      onCancel={onClose}
      onClick={(event) => {
        if (event.target === box.current) onClose();
      }}
      onKeyDown={(event) => {
        if (event.key === "ArrowDown") setAt((at + 1) % Math.max(1, choices.length));
        else if (event.key === "ArrowUp") setAt(Math.max(0, at - 1));
        else if (event.key === "Enter") take(choices[at]);
        else return;
        event.preventDefault();
      }}
    >
      <input
        role="combobox"
        aria-expanded="true"
        aria-controls="palette-list"
        aria-activedescendant={choices[at] ? `palette-${at}` : undefined}
        aria-label="Search files, or > for commands"
        placeholder="Search files, > for commands"
        spellCheck={false}
        value={text}
        onChange={(event) => {
          setText(event.target.value);
          setAt(0);
        }}
      />
      <div
        id="palette-list"
        role="listbox"
        aria-label="Results"
        className="palette-list"
        tabIndex={-1}
      >
        {choices.map((choice, index) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents: the box above takes the keys
          <div
            key={choice.detail + choice.label}
            id={`palette-${index}`}
            role="option"
            tabIndex={-1}
            aria-selected={index === at}
            aria-disabled={choice.unavailable}
            ref={(element) => {
              if (index === at) element?.scrollIntoView({ block: "nearest" });
            }}
            className={`menu-item${index === at ? " is-selected" : ""}`}
            onClick={() => take(choice)}
          >
            <Icon name={choice.icon} />
            <span className="truncate">{choice.label}</span>
            <span className="key truncate">{choice.detail}</span>
          </div>
        ))}
      </div>
      {choices.length === 0 ? (
        <p className="palette-none faint" role="status">
          Nothing fits.
        </p>
      ) : null}
    </dialog>
  );
}

function files({ live, bench }: Workbench): Choice[] {
  const found: Choice[] = [];
  for (const entry of live.entries.values()) {
    if (entry.kind !== "file") continue;
    const slash = entry.path.lastIndexOf("/");
    found.push({
      label: entry.path.slice(slash + 1),
      detail: slash < 0 ? "" : entry.path.slice(0, slash),
      icon: "file-code",
      run: () => bench.open(entry.path),
    });
  }
  return found;
}

function commands(workbench: Workbench, frames: Frames): Choice[] {
  return actionsOf(workbench, frames)
    .filter((action) => action.id !== "find.command")
    .map((action) => ({
      label: action.title,
      detail: action.unavailable ?? action.keys[0] ?? "",
      icon: action.icon,
      unavailable: action.unavailable !== null,
      run: action.run,
    }));
}

/** Letters in order; more for runs of them, for starts of words and for short texts. Below zero: no match. */
export function rank(text: string, wanted: string): number {
  // Nothing wished for: the order in which things were given.
  if (wanted === "") return 0;
  const hay = text.toLowerCase();
  let score = 1;
  let from = 0;
  for (const letter of wanted.replaceAll(" ", "")) {
    const found = hay.indexOf(letter, from);
    if (found < 0) return -1;
    if (found === from) score += 2;
    if (found === 0 || /[\s/._-]/.test(hay[found - 1] ?? "")) score += 3;
    from = found + 1;
  }
  return score - Math.min(hay.length, 1000) / 1001;
}
