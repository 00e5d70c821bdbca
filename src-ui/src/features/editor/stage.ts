/** The one editor widget: it shows the text of the open tab and tells where the caret is. */
import type { EditorFacts } from "../../bench/bench";
import type { Host } from "../../host/host";
import type { BufferInfo } from "./buffer";
import { languageName } from "./shape";

type Monaco = typeof import("./monaco");
type Widget = import("monaco-editor/editor").editor.IStandaloneCodeEditor;
type Model = import("monaco-editor/editor").editor.ITextModel;
export type View = import("monaco-editor/editor").editor.ICodeEditorViewState;

export type CaretFacts = Omit<EditorFacts, "active" | "badges" | "waitingBytes">;

export const NO_CARET: CaretFacts = {
  line: 0,
  column: 0,
  selected: 0,
  language: "",
  ending: "",
  indent: "",
};

/** How a text is written: what is left out stays as it is. */
export interface Writing {
  spaces?: boolean;
  tabSize?: number;
  ending?: "LF" | "CRLF";
  language?: string;
}

/** "Spaces: 4". */
export function indentWords({ spaces, tabSize }: { spaces: boolean; tabSize: number }): string {
  return `${spaces ? "Spaces" : "Tabs"}: ${tabSize}`;
}

export class Stage {
  private readonly widget: Widget;
  private readonly themes: MutationObserver;

  constructor(
    private readonly monaco: Monaco,
    place: HTMLElement,
    host: Pick<Host, "clipboard" | "desktop">,
    private readonly onCaret: (facts: CaretFacts) => void,
  ) {
    this.widget = monaco.createEditor(place, host, { model: null });
    this.widget.onDidChangeCursorSelection(() => this.onCaret(this.caret()));
    this.themes = new MutationObserver(() => monaco.applyTheme());
    this.themes.observe(document.documentElement, { attributeFilter: ["data-theme"] });
  }

  dispose(): void {
    this.themes.disconnect();
    this.widget.dispose();
  }

  show(info: BufferInfo | null, model: Model | null, view: View | undefined, state: string): void {
    const { widget } = this;
    if (widget.getModel() !== model) {
      widget.setModel(model);
      if (view) widget.restoreViewState(view);
    }
    widget.updateOptions({
      readOnly: info?.readOnly ?? true,
      ariaLabel: info ? `${info.path}${state ? `, ${state}` : ""}` : "Editor",
    });
    this.onCaret(this.caret());
  }

  /** Where the text is read and the caret stands; null while no text is shown. */
  view(): View | null {
    return this.widget.getModel() ? this.widget.saveViewState() : null;
  }

  goTo(line: number): void {
    this.widget.revealLineInCenter(line);
    this.widget.setPosition({ lineNumber: line, column: 1 });
  }

  focus(): void {
    this.widget.focus();
  }

  command(id: string): void {
    this.widget.focus();
    this.widget.trigger("slipway", id, null);
  }

  /** Changes how the shown text is written or read. */
  write(how: Writing): void {
    const model = this.widget.getModel();
    if (!model) return;
    if (how.tabSize)
      model.updateOptions({ insertSpaces: how.spaces ?? true, tabSize: how.tabSize });
    if (how.ending) this.setEnding(model, how.ending);
    if (how.language) this.monaco.monaco.editor.setModelLanguage(model, how.language);
    this.onCaret(this.caret());
  }

  /** An edit like any other, so that it can be undone and is saved. */
  private setEnding(model: Model, ending: "LF" | "CRLF"): void {
    const { EndOfLineSequence } = this.monaco.monaco.editor;
    model.pushStackElement();
    model.pushEOL(EndOfLineSequence[ending]);
    model.pushStackElement();
  }

  private caret(): CaretFacts {
    const model = this.widget.getModel();
    const position = this.widget.getPosition();
    const selection = this.widget.getSelection();
    if (!model || !position) return NO_CARET;
    const { insertSpaces, tabSize } = model.getOptions();
    return {
      line: position.lineNumber,
      column: position.column,
      selected: selection ? model.getValueLengthInRange(selection) : 0,
      language: languageName(model.getLanguageId()),
      ending: model.getEOL() === "\n" ? "LF" : "CRLF",
      indent: indentWords({ spaces: insertSpaces, tabSize }),
    };
  }
}
