/** The one editor widget: it shows the text of the open tab and tells where the caret is. */
import type { EditorFacts } from "../../bench/bench";
import type { BufferInfo } from "./buffer";
import { languageName, languageOf } from "./shape";

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

export class Stage {
  private readonly widget: Widget;
  private readonly themes: MutationObserver;

  constructor(
    monaco: Monaco,
    place: HTMLElement,
    private readonly onCaret: (facts: CaretFacts) => void,
  ) {
    this.widget = monaco.monaco.editor.create(place, { ...monaco.EDITOR_OPTIONS, model: null });
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
      language: languageName(languageOf(model.uri.path)),
      ending: model.getEOL() === "\n" ? "LF" : "CRLF",
      indent: insertSpaces ? `Spaces: ${tabSize}` : `Tabs: ${tabSize}`,
    };
  }
}
