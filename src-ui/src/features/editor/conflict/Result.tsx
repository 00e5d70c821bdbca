/** What comes of a merge: the choices about the change that is looked at, and the text, to be edited freely. */
import { useEffect, useRef } from "react";
import { type Action, find, hintOf } from "../../../bench/actions";
import { useBench, useStore } from "../../../bench/bench";
import type { Part } from "../../../host/merge";
import { many } from "../../../ui/words";
import { CHOICES } from "./actions";
import { conflictsOf, differing } from "./plan";
import type { Resolver } from "./resolver";
import { MonacoResult } from "./resultText";

/** A value that fits beside the word of its choice. */
const VALUE_CHARS = 16;

export function Result({ resolver, actions }: { resolver: Resolver; actions: () => Action[] }) {
  const { parts, current, unsaved, brought } = useStore(resolver.store, (one) => one);
  const index = conflictsOf(parts)[current];
  const part = index === undefined ? null : (parts[index] ?? null);
  const lines = parts.reduce((sum, one) => sum + one.result.length, 0);
  return (
    <div className="merge-result">
      <div className="row gap3 merge-result-head">
        <span className="medium">Result</span>
        <span className="small faint truncate">
          {brought
            ? "brought back as you left it; a draft until it is saved"
            : unsaved
              ? "edit freely; a draft until it is saved"
              : "edit freely"}
        </span>
        <span className="push row gap2">
          {part ? <Choices part={part} number={current + 1} actions={actions()} /> : null}
        </span>
        <span className="small faint num merge-lines">{many(lines, "line", "lines")}</span>
      </div>
      <Text resolver={resolver} at={index} />
    </div>
  );
}

interface ChoicesProps {
  part: Part;
  number: number;
  actions: readonly Action[];
}

function Choices({ part, number, actions }: ChoicesProps) {
  const values = valuesOf(part);
  return (
    <fieldset className="merge-choices" aria-label={`Change ${number}`}>
      {CHOICES.map(([choice, word]) => {
        const chosen = part.choice === choice;
        // Pressed once more, it is taken back.
        const action = find(actions, chosen ? "conflict.again" : `conflict.${choice}`);
        const value = choice === "both" || choice === "edited" ? "" : (values?.[choice] ?? "");
        return (
          <button
            key={choice}
            type="button"
            className={`btn btn-sm${chosen ? " is-chosen" : ""}`}
            aria-pressed={chosen}
            title={hintOf(action)}
            onClick={action.run}
          >
            {word}
            {value ? <span className="mono merge-value">{value}</span> : null}
          </button>
        );
      })}
      {part.choice === "edited" ? <span className="small muted">edited by hand</span> : null}
    </fieldset>
  );
}

/** What differs, where it is short enough to be said. */
function valuesOf(part: Part): Record<"mine" | "theirs" | "base", string> | null {
  const versions = ["mine", "theirs", "base"] as const;
  if (versions.some((version) => part[version].length !== 1)) return null;
  const texts = versions.map((version) => (part[version][0] ?? "").trimEnd());
  const marks = differing(texts);
  if (!marks) return null;
  const values = texts.map((text, index) => text.slice(...(marks[index] ?? [0, 0])).trim());
  if (values.some((value) => value === "" || value.length > VALUE_CHARS)) return null;
  const [mine = "", theirs = "", base = ""] = values;
  return { mine, theirs, base };
}

function Text({ resolver, at }: { resolver: Resolver; at: number | undefined }) {
  const { host } = useBench();
  const place = useRef<HTMLDivElement>(null);
  const reveal = useRef<((index: number) => void) | null>(null);
  const first = useRef(at);
  first.current = at;
  useEffect(() => {
    const { result } = resolver;
    const element = place.current;
    if (!element || !(result instanceof MonacoResult)) return;
    let gone = false;
    let clean = () => {};
    void import("../monaco").then((monaco) => {
      if (gone) return;
      const editor = monaco.createEditor(element, host, {
        model: result.model,
        ariaLabel: `${resolver.conflict.path}, result`,
      });
      reveal.current = (index) => editor.revealLineInCenterIfOutsideViewport(result.lineOf(index));
      if (first.current !== undefined) reveal.current(first.current);
      clean = () => editor.dispose();
    });
    return () => {
      gone = true;
      reveal.current = null;
      clean();
    };
  }, [resolver, host]);
  useEffect(() => {
    if (at !== undefined) reveal.current?.(at);
  }, [at]);
  return <div className="editor-host" ref={place} />;
}
