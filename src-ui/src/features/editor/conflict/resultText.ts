/** The result of a merge as an editable text that knows where each conflict stands, however much is typed around it. */
import type { editor, IRange } from "monaco-editor/editor";
import { edits, lines, type Part } from "../../../host/merge";
import { isOpen, textOf } from "./plan";

type Monaco = typeof import("../monaco");

/** What a plan needs of the text that it fills; tests give one that draws nothing. */
export interface ResultText {
  text(): string;
  /** Puts a whole plan in, as one edit that can be undone. */
  fill(parts: readonly Part[]): void;
  /** Puts another text in, as if somebody had typed what differs. */
  type(text: string): void;
  /** Puts one part's result in its place. */
  put(index: number, parts: readonly Part[]): void;
  /** The lines that stand in a conflict's place now. */
  linesOf(index: number): readonly string[];
  /** Marks what is open and what is decided. */
  mark(parts: readonly Part[]): void;
  lineOf(index: number): number;
  onTyped(listener: () => void): void;
  dispose(): void;
}

export class MonacoResult implements ResultText {
  readonly model: editor.ITextModel;
  /** Decorations of conflicts, by the index of their part. */
  private marks = new Map<number, string>();
  /** Decorations that are seen. */
  private colours: string[] = [];
  private filling = false;

  constructor(
    private readonly monaco: Monaco,
    /** Names the text; no other has this name. */
    name: string,
    language: string,
    parts: readonly Part[],
    crlf: boolean,
  ) {
    const uri = monaco.monaco.Uri.from({ scheme: "slipway-merge", path: `/${name}` });
    monaco.monaco.editor.getModel(uri)?.dispose();
    this.model = monaco.monaco.editor.createModel(textOf(parts), language, uri);
    if (crlf) this.model.setEOL(monaco.monaco.editor.EndOfLineSequence.CRLF);
    this.place(parts);
  }

  text(): string {
    return this.model.getValue(undefined, true);
  }

  fill(parts: readonly Part[]): void {
    this.edit(this.model.getFullModelRange(), textOf(parts));
    this.place(parts);
  }

  type(text: string): void {
    const { EndOfLinePreference } = this.monaco.monaco.editor;
    const now = this.model.getValue(EndOfLinePreference.LF);
    // A byte order mark stands in no line.
    const typed = edits(now, text.replace(/^\uFEFF/, "")).map((one) => ({
      range: {
        startLineNumber: one.startLine,
        startColumn: one.startColumn,
        endLineNumber: one.endLine,
        endColumn: one.endColumn,
      },
      text: one.text,
    }));
    this.model.pushStackElement();
    this.model.pushEditOperations(null, typed, () => null);
    this.model.pushStackElement();
  }

  put(index: number, parts: readonly Part[]): void {
    const part = parts[index];
    const range = this.rangeOf(index);
    if (!part || !range) return;
    const text = part.result.join("");
    const from = this.model.getOffsetAt({
      lineNumber: range.startLineNumber,
      column: range.startColumn,
    });
    this.edit(range, text);
    // Line ends count as the model has them.
    const eol = this.model.getEOL();
    const length = eol === "\n" ? text.length : text.replaceAll("\n", eol).length;
    const start = this.model.getPositionAt(from);
    const end = this.model.getPositionAt(from + length);
    this.track(index, {
      startLineNumber: start.lineNumber,
      startColumn: start.column,
      endLineNumber: end.lineNumber,
      endColumn: end.column,
    });
  }

  linesOf(index: number): readonly string[] {
    const range = this.rangeOf(index);
    const { EndOfLinePreference } = this.monaco.monaco.editor;
    return range ? lines(this.model.getValueInRange(range, EndOfLinePreference.LF)) : [];
  }

  mark(parts: readonly Part[]): void {
    const fresh = [...this.marks.keys()].flatMap((index) => {
      const part = parts[index];
      const range = this.rangeOf(index);
      if (!part || !range) return [];
      const open = isOpen(part);
      const lines = linesIn(range);
      const options: editor.IModelDecorationOptions = {
        className: lines ? (open ? "merge-open" : "merge-done") : null,
        linesDecorationsClassName: open ? "merge-open-edge" : "merge-done-edge",
        isWholeLine: true,
      };
      return [{ range: lines ?? range, options }];
    });
    this.colours = this.model.deltaDecorations(this.colours, fresh);
  }

  lineOf(index: number): number {
    return this.rangeOf(index)?.startLineNumber ?? 1;
  }

  onTyped(listener: () => void): void {
    this.model.onDidChangeContent(() => {
      if (!this.filling) listener();
    });
  }

  dispose(): void {
    this.model.dispose();
  }

  private rangeOf(index: number): IRange | null {
    const id = this.marks.get(index);
    return id === undefined ? null : this.model.getDecorationRange(id);
  }

  private edit(range: IRange, text: string): void {
    this.filling = true;
    this.model.pushStackElement();
    this.model.pushEditOperations(null, [{ range, text }], () => null);
    this.model.pushStackElement();
    this.filling = false;
  }

  private place(parts: readonly Part[]): void {
    this.model.deltaDecorations([...this.marks.values()], []);
    this.marks = new Map();
    let line = 1;
    parts.forEach((part, index) => {
      const last = index === parts.length - 1;
      const text = part.result.join("");
      const next = line + (text.match(/\n/g)?.length ?? 0);
      const open = last && !text.endsWith("\n");
      const endColumn = open ? this.model.getLineMaxColumn(next) : 1;
      if (part.kind === "conflict")
        this.track(index, {
          startLineNumber: line,
          startColumn: 1,
          endLineNumber: next,
          endColumn,
        });
      line = next;
    });
  }

  /** Follows a conflict's place through whatever is typed around it. */
  private track(index: number, range: IRange): void {
    const old = this.marks.get(index);
    const { GrowsOnlyWhenTypingBefore: stickiness } =
      this.monaco.monaco.editor.TrackedRangeStickiness;
    const place = { range, options: { stickiness } };
    const [id] = this.model.deltaDecorations(old ? [old] : [], [place]);
    if (id) this.marks.set(index, id);
  }
}

/** The lines of a place: one that ends where the next line begins has not that line. Null: it has none. */
function linesIn(range: IRange): IRange | null {
  const ends = range.endColumn === 1 ? range.endLineNumber - 1 : range.endLineNumber;
  return ends < range.startLineNumber ? null : { ...range, endLineNumber: ends };
}
