/** Yours, what both began with, and theirs, line beside line. */
import { Fragment, type ReactNode, useEffect, useRef } from "react";
import { useStore } from "../../../bench/bench";
import { timeOfDay } from "../../../ui/words";
import { conflictsOf, differing, isOpen, type Part } from "./plan";
import type { Resolver } from "./resolver";

/** Lines around a change; more of what is the same is left out. */
const CONTEXT = 3;

type Version = "mine" | "base" | "theirs";

interface Row {
  /** Of the part that it belongs to. */
  index: number;
  /** The number of each version's line and its text; null where it has none. */
  cells: Partial<Record<Version, { number: number; text: string } | null>>;
  marks: Partial<Record<Version, readonly [number, number]>>;
  /** Instead of a line: so many that are the same. */
  left: number;
}

export function Panes({ resolver, base }: { resolver: Resolver; base: boolean }) {
  const { parts, current } = useStore(resolver.store, (one) => one);
  const shown: readonly Version[] = base ? ["mine", "base", "theirs"] : ["mine", "theirs"];
  const chosen = conflictsOf(parts)[current];
  const box = useRef<HTMLElement>(null);
  useEffect(() => {
    if (chosen !== undefined)
      box.current?.querySelector(`[data-part="${chosen}"]`)?.scrollIntoView({ block: "nearest" });
  }, [chosen]);
  const { at } = resolver.conflict;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls can be scrolled by keys
    <section ref={box} className="merge-panes" tabIndex={0} aria-label="Versions">
      <table className="merge-table">
        <colgroup>
          {shown.map((version) => (
            <Fragment key={version}>
              <col className="merge-no" />
              <col />
            </Fragment>
          ))}
        </colgroup>
        <thead>
          <tr>
            {shown.map((version) => (
              <th key={version} scope="col" colSpan={2}>
                <Head version={version} note={version === "mine" ? `since ${timeOfDay(at)}` : ""}>
                  {version === "base" ? null : (
                    <button
                      type="button"
                      className="btn btn-sm push"
                      aria-label={version === "mine" ? "Use all of yours" : "Use all of theirs"}
                      onClick={() => resolver.chooseAll(version)}
                    >
                      Use all
                    </button>
                  )}
                </Head>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rowsOf(parts, shown).map((row, at) =>
            row.left > 0 ? (
              // biome-ignore lint/suspicious/noArrayIndexKey: rows have no other key than their place
              <tr key={at} className="merge-left">
                <td colSpan={shown.length * 2}>{row.left} lines without changes</td>
              </tr>
            ) : (
              <Line
                // biome-ignore lint/suspicious/noArrayIndexKey: rows have no other key than their place
                key={at}
                row={row}
                part={parts[row.index]}
                shown={shown}
                current={row.index === chosen}
                onLook={() => resolver.lookAt(row.index)}
              />
            ),
          )}
        </tbody>
      </table>
    </section>
  );
}

const NAMES: Record<Version, [string, string]> = {
  mine: ["Yours", "this computer"],
  base: ["Base", "what both began with"],
  theirs: ["Theirs", "the server"],
};

function Head({
  version,
  note,
  children,
}: {
  version: Version;
  note: string;
  children: ReactNode;
}) {
  const [name, from] = NAMES[version];
  return (
    <span className="row gap3">
      <span className="medium">{name}</span>
      <span className="small faint truncate">{[from, note].filter(Boolean).join(", ")}</span>
      {children}
    </span>
  );
}

interface LineProps {
  row: Row;
  part: Part | undefined;
  shown: readonly Version[];
  current: boolean;
  onLook: () => void;
}

function Line({ row, part, shown, current, onLook }: LineProps) {
  if (!part) return null;
  const tone = (version: Version) => {
    if (part.kind === "same" || !row.cells[version]) return "";
    if (part.kind !== "conflict")
      return part.kind === version || part.kind === "both" ? " is-auto" : "";
    return isOpen(part) ? " is-open" : " is-done";
  };
  return (
    <tr
      data-part={row.index}
      className={current ? "is-current" : undefined}
      onClick={part.kind === "conflict" ? onLook : undefined}
    >
      {shown.map((version) => {
        const cell = row.cells[version];
        return (
          <Fragment key={version}>
            <td className={`no${cell ? "" : " is-fill"}${tone(version)}`}>{cell?.number}</td>
            <td className={`text${cell ? "" : " is-fill"}${tone(version)}`}>
              <Marked text={cell?.text ?? ""} mark={row.marks[version]} />
            </td>
          </Fragment>
        );
      })}
    </tr>
  );
}

function Marked({ text, mark }: { text: string; mark: readonly [number, number] | undefined }) {
  if (!mark || mark[0] >= mark[1]) return text;
  const [from, to] = mark;
  return (
    <>
      {text.slice(0, from)}
      <mark>{text.slice(from, to)}</mark>
      {text.slice(to)}
    </>
  );
}

/** Every line of every version, with empty places where one has fewer; long stretches of the same are left out. */
export function rowsOf(parts: readonly Part[], shown: readonly Version[]): Row[] {
  const rows: Row[] = [];
  const numbers: Record<Version, number> = { mine: 1, base: 1, theirs: 1 };
  parts.forEach((part, index) => {
    const height = Math.max(...shown.map((version) => part[version].length));
    const skips = part.kind === "same" && height > 2 * CONTEXT + 2;
    const from = index === 0 ? 0 : CONTEXT;
    const to = index === parts.length - 1 ? height : height - CONTEXT;
    for (let line = 0; line < height; line += 1) {
      if (skips && line === from)
        rows.push({ index, cells: {}, marks: {}, left: Math.max(0, to - from) });
      if (skips && line >= from && line < to) continue;
      rows.push(rowAt(part, index, line, shown, numbers));
    }
    for (const version of ["mine", "base", "theirs"] as const)
      numbers[version] += part[version].length;
  });
  return rows;
}

function rowAt(
  part: Part,
  index: number,
  line: number,
  shown: readonly Version[],
  numbers: Readonly<Record<Version, number>>,
): Row {
  const row: Row = { index, cells: {}, marks: {}, left: 0 };
  for (const version of shown) {
    const text = part[version][line];
    row.cells[version] =
      text === undefined
        ? null
        : { number: numbers[version] + line, text: text.replace(/\n$/, "") };
  }
  const texts = shown.map((version) => row.cells[version]?.text);
  if (part.kind !== "conflict" || texts.some((text) => text === undefined)) return row;
  const marks = differing(texts as string[]);
  shown.forEach((version, at) => {
    const mark = marks?.[at];
    if (mark) row.marks[version] = mark;
  });
  return row;
}
