/** Yours, what both began with, and theirs, line beside line. */
import { Fragment, type ReactNode, useEffect, useRef, useState } from "react";
import { useStore } from "../../../bench/bench";
import type { Part } from "../../../host/merge";
import { many, timeOfDay } from "../../../ui/words";
import { languageOf } from "../shape";
import { coloured, type Piece, parted } from "./colours";
import { conflictsOf, differing, isOpen } from "./plan";
import type { Resolver } from "./resolver";

/** Lines around a change; more of what is the same is left out. */
const CONTEXT = 3;

type Version = "mine" | "base" | "theirs";

interface Cell {
  number: number;
  text: string;
}

interface Row {
  /** Of the part that it belongs to. */
  index: number;
  /** The number of each version's line and its text; null where it has none. */
  cells: Partial<Record<Version, Cell | null>>;
  marks: Partial<Record<Version, readonly [number, number]>>;
  /** Whether its part begins here. */
  first: boolean;
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
  const { at, path } = resolver.conflict;
  const colours = useColours(parts, path);
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
                <td colSpan={shown.length * 2}>
                  {many(row.left, "line", "lines")} without changes
                </td>
              </tr>
            ) : (
              <Line
                // biome-ignore lint/suspicious/noArrayIndexKey: rows have no other key than their place
                key={at}
                row={row}
                colours={colours}
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

/** Each version's lines in the colours of the language, once that is there. */
function useColours(parts: readonly Part[], path: string): Colours {
  const [colours, setColours] = useState<Colours>({});
  // Decisions change no version.
  const texts = (["mine", "base", "theirs"] as const).map((version) =>
    parts.flatMap((part) => part[version]).join(""),
  );
  const [mine = "", base = "", theirs = ""] = texts;
  useEffect(() => {
    let gone = false;
    void import("../monaco").then(async (monaco) => {
      const of = (text: string) => coloured(monaco, text, languageOf(path));
      const all = { mine: await of(mine), base: await of(base), theirs: await of(theirs) };
      if (!gone) setColours(all);
    });
    return () => {
      gone = true;
    };
  }, [mine, base, theirs, path]);
  return colours;
}

type Colours = Partial<Record<Version, Piece[][]>>;

interface LineProps {
  row: Row;
  colours: Colours;
  part: Part | undefined;
  shown: readonly Version[];
  current: boolean;
  onLook: () => void;
}

function Line({ row, colours, part, shown, current, onLook }: LineProps) {
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
      aria-current={current ? "true" : undefined}
      onClick={part.kind === "conflict" ? onLook : undefined}
    >
      {shown.map((version, column) => {
        const cell = row.cells[version];
        return (
          <Fragment key={version}>
            <td className={`no${cell ? "" : " is-fill"}${tone(version)}`}>
              {row.first && column === 0 ? <Told part={part} /> : null}
              {cell?.number}
            </td>
            <td className={`text${cell ? "" : " is-fill"}${tone(version)}`}>
              {cell ? (
                <Marked pieces={piecesOf(cell, colours[version])} mark={row.marks[version]} />
              ) : null}
            </td>
          </Fragment>
        );
      })}
    </tr>
  );
}

/** What the colour of a change says. */
function Told({ part }: { part: Part }) {
  if (part.kind === "same") return null;
  const word = part.kind !== "conflict" ? "merged" : isOpen(part) ? "open" : "decided";
  return <span className="visually-hidden">{word} </span>;
}

/** In colours, unless they are still those of a text that has moved on. */
function piecesOf(cell: Cell, lines: Piece[][] | undefined): readonly Piece[] {
  const pieces = lines?.[cell.number - 1];
  const same = pieces?.map(({ text }) => text).join("") === cell.text;
  return pieces && same ? pieces : [{ text: cell.text, colour: "" }];
}

function Marked({ pieces, mark }: { pieces: readonly Piece[]; mark: Mark | undefined }) {
  const [before, within, after] = parted(pieces, mark ?? NO_MARK);
  return (
    <>
      <Pieces of={before} />
      {within.length > 0 ? (
        // On its own ground, where the quieter colours would be hard to read.
        <mark>{within.map(({ text }) => text).join("")}</mark>
      ) : null}
      <Pieces of={after} />
    </>
  );
}

type Mark = readonly [number, number];
const NO_MARK: Mark = [Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER];

function Pieces({ of }: { of: readonly Piece[] }) {
  return of.map(({ text, colour }, at) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: pieces have no other key than their place
    <span key={at} style={colour ? { color: colour } : undefined}>
      {text}
    </span>
  ));
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
        rows.push({ index, cells: {}, marks: {}, first: false, left: Math.max(0, to - from) });
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
  const row: Row = { index, cells: {}, marks: {}, first: line === 0, left: 0 };
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
