/** The row in which a name is typed: for a new file or folder, or another name. */
import { type RefObject, useEffect, useRef, useState } from "react";
import { useBench } from "../../bench/bench";
import { failureOf } from "../../host/ide";
import { useHost } from "../../host/useHost";
import { Icon } from "../../ui/Icon";
import { createEntry, moveEntries } from "./actions";
import type { Explorer } from "./model";
import { join, nameOf, newNameProblem } from "./names";
import { rowId } from "./TreeRow";

/** Who types on has not finished the name. */
const PAUSE_MS = 1_000;

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
  const row = useRef<HTMLDivElement>(null);
  const { busy, refusal, forget, send, leave } = useNaming(explorer, row);
  const problem =
    text === before && path
      ? null
      : newNameProblem(text, folder, (to) => explorer.tree.inTheWay(to, path));
  const finish = () => {
    if (text === "" || text === before) return leave();
    if (problem) return setTouched(true);
    const to = join(folder, text.normalize("NFC"));
    const act = path
      ? {
          what: `“${before}” was not renamed.`,
          run: () => moveEntries(bench, [{ from: path, to }]),
        }
      : {
          what: `“${nameOf(to)}” was not made.`,
          run: () => createEntry(bench, to, what === "folder"),
        };
    void send({ ...act, to });
  };
  const wrong = problem !== null && (touched || text !== "") ? problem : refusal;
  // Its own name stands there while the server's answer comes in.
  const shown = busy ? null : wrong;
  const paused = usePause(text);
  const said = touched || paused || shown === refusal;
  return (
    <div
      ref={row}
      // A tree holds nothing but its items; this one is being named.
      role="treeitem"
      id={path ? rowId(path) : undefined}
      aria-level={level + 1}
      aria-selected={path !== undefined}
      tabIndex={-1}
      className="explorer-name"
      style={{ top, "--level": level } as React.CSSProperties}
    >
      {busy ? <span className="spinner" /> : <Icon name={what === "folder" ? "folder" : "file"} />}
      <input
        // biome-ignore lint/a11y/noAutofocus: asked for by the person
        autoFocus
        aria-label={what === "rename" ? `New name of ${before}` : `Name of the new ${what}`}
        aria-invalid={shown !== null}
        aria-busy={busy}
        readOnly={busy}
        value={text}
        spellCheck={false}
        onFocus={(event) => {
          const dot = before.lastIndexOf(".");
          event.target.setSelectionRange(0, dot > 0 ? dot : before.length);
        }}
        onChange={(event) => {
          setText(event.target.value);
          setTouched(false);
          forget();
        }}
        onBlur={() => {
          // Whoever goes on elsewhere has seen what is wrong.
          if (wrong === null) finish();
          else if (!busy) leave();
        }}
        onKeyDown={(event) => {
          event.stopPropagation();
          if (event.key === "Enter") finish();
          if (event.key === "Escape") leave();
        }}
      />
      {shown ? (
        // Seen at once, and heard when it is put there anew.
        <p
          key={said ? "said" : "seen"}
          className="explorer-problem"
          role={said ? "alert" : undefined}
        >
          {shown}
        </p>
      ) : null}
    </div>
  );
}

/** Whether nothing was typed for a moment. */
function usePause(text: string): boolean {
  const { after } = useHost();
  const [paused, setPaused] = useState<string | null>(null);
  useEffect(() => after(PAUSE_MS, () => setPaused(text)), [after, text]);
  return paused === text;
}

interface Naming {
  /** What is said of a failure that comes when the row is gone. */
  what: string;
  to: string;
  run(): Promise<unknown>;
}

/** The row stands, with what was typed, until the server has done it; then it leaves, and the keys go on in the tree. */
function useNaming(explorer: Explorer, row: RefObject<HTMLDivElement | null>) {
  const bench = useBench();
  const [busy, setBusy] = useState(false);
  const [refusal, setRefusal] = useState<string | null>(null);
  const state = useRef<"typing" | "sent" | "left">("typing");
  const leave = (tree = row.current?.closest<HTMLElement>("[role=tree]")) => {
    if (state.current === "left") return;
    state.current = "left";
    const { activeElement } = document;
    const here = activeElement === document.body || row.current?.contains(activeElement);
    explorer.endEdit();
    if (here) tree?.focus();
  };
  const send = async ({ what, to, run }: Naming) => {
    if (state.current !== "typing") return;
    state.current = "sent";
    setBusy(true);
    setRefusal(null);
    // A renamed row is gone before its answer is here.
    const tree = row.current?.closest<HTMLElement>("[role=tree]");
    try {
      await explorer.name(async () => {
        await run();
        leave(tree);
        explorer.reveal(to);
      });
    } catch (error) {
      if (row.current === null) return bench.failed(error, what);
      state.current = "typing";
      setRefusal(failureOf(error).detail);
      setBusy(false);
    }
  };
  return { busy, refusal, forget: () => setRefusal(null), send, leave: () => leave() };
}
