/** The row in which a name is typed: for a new file or folder, or another name. */
import { useRef, useState } from "react";
import { useBench } from "../../bench/bench";
import { Icon } from "../../ui/Icon";
import { createEntry, moveEntries } from "./actions";
import type { Explorer } from "./model";
import { join, nameOf, newNameProblem } from "./names";
import { rowId } from "./TreeRow";

export function NameInput({
  explorer,
  top,
  level,
  folder,
  what,
  path,
}: {
  explorer: Explorer;
  top: number;
  level: number;
  folder: string;
  what: "file" | "folder" | "rename";
  path?: string | undefined;
}) {
  const bench = useBench();
  const before = path ? nameOf(path) : "";
  const [text, setText] = useState(before);
  const [touched, setTouched] = useState(false);
  const done = useRef(false);
  const problem =
    text === before && path
      ? null
      : newNameProblem(text, folder, (to) => explorer.tree.inTheWay(to, path));
  const finish = (keep: boolean) => {
    if (done.current) return;
    if (keep && text !== "" && problem) {
      setTouched(true);
      return;
    }
    done.current = true;
    explorer.endEdit();
    if (!keep || text === "" || text === before) return;
    const to = join(folder, text.normalize("NFC"));
    if (path) void moveEntries(bench, [{ from: path, to }]).then(() => explorer.reveal(to));
    else void createEntry(bench, to, what === "folder").then((made) => made && explorer.reveal(to));
  };
  const shown = problem !== null && text !== "" ? problem : touched ? problem : null;
  return (
    <div
      // A tree holds nothing but its items; this one is being named.
      role="treeitem"
      id={path ? rowId(path) : undefined}
      aria-level={level + 1}
      aria-selected={path !== undefined}
      tabIndex={-1}
      className="explorer-name"
      style={{ top, "--level": level } as React.CSSProperties}
    >
      <Icon name={what === "folder" ? "folder" : "file"} />
      <input
        // biome-ignore lint/a11y/noAutofocus: asked for by the person
        autoFocus
        aria-label={what === "rename" ? `New name of ${before}` : `Name of the new ${what}`}
        aria-invalid={shown !== null}
        value={text}
        spellCheck={false}
        onFocus={(event) => {
          const dot = before.lastIndexOf(".");
          event.target.setSelectionRange(0, dot > 0 ? dot : before.length);
        }}
        onChange={(event) => setText(event.target.value)}
        onBlur={() => finish(problem === null)}
        onKeyDown={(event) => {
          event.stopPropagation();
          if (event.key !== "Enter" && event.key !== "Escape") return;
          const tree = event.currentTarget.closest<HTMLElement>("[role=tree]");
          finish(event.key === "Enter");
          // The row leaves, and the keys go on where they were.
          if (done.current) tree?.focus();
        }}
      />
      {shown ? (
        <p className="explorer-problem" role="alert">
          {shown}
        </p>
      ) : null}
    </div>
  );
}
