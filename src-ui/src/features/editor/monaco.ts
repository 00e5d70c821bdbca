/** Monaco behind one door: entry points, workers, our themes and models. Loaded only with the IDE. */
import * as monaco from "monaco-editor/editor";
import type { Clipboard, Host } from "../../host/host";
import type { LineEdit } from "../../host/merge";
import type { TextModel } from "./buffer";
import "./languages";
import "./monacoParts";
import { languageOf } from "./shape";

export { monaco };

/** Both themes made of the page's tokens. */
export function applyTheme(): void {
  const style = getComputedStyle(document.documentElement);
  const dark = document.documentElement.dataset.theme !== "light";
  const token = (name: string) => hex(style.getPropertyValue(`--${name}`).trim());
  const bare = (name: string) => token(name).slice(1);
  const rule = (scope: string, name: string, fontStyle?: string) => ({
    token: scope,
    foreground: bare(name),
    ...(fontStyle ? { fontStyle } : {}),
  });
  monaco.editor.defineTheme("slipway", {
    base: dark ? "vs-dark" : "vs",
    inherit: true,
    rules: [
      rule("", "text"),
      rule("keyword", "syn-keyword"),
      rule("string", "syn-string"),
      rule("string.escape", "syn-number"),
      rule("number", "syn-number"),
      rule("comment", "syn-comment", "italic"),
      rule("type", "syn-type"),
      rule("tag", "syn-keyword"),
      rule("attribute.name", "syn-function"),
      rule("attribute.value", "syn-string"),
      rule("delimiter", "muted"),
      rule("identifier", "syn-name"),
      rule("predefined", "syn-function"),
      rule("variable", "syn-name"),
      rule("string.key.json", "syn-function"),
      rule("string.value.json", "syn-string"),
    ],
    colors: {
      "editor.background": token("surface"),
      "editor.foreground": token("text"),
      "editorLineNumber.foreground": token("gutter"),
      "editorLineNumber.activeForeground": token("text"),
      "editor.lineHighlightBackground": `${token("hover")}8c`,
      "editor.lineHighlightBorder": "#00000000",
      "editor.selectionBackground": token("selected"),
      "editor.inactiveSelectionBackground": token("hover"),
      "editorCursor.foreground": token("text"),
      "editorIndentGuide.background1": token("line-subtle"),
      "editorIndentGuide.activeBackground1": token("line"),
      "editorWidget.background": token("overlay"),
      "editorWidget.border": token("line"),
      "editorSuggestWidget.background": token("overlay"),
      "editorSuggestWidget.border": token("line"),
      "editorSuggestWidget.selectedBackground": token("selected"),
      "editorSuggestWidget.highlightForeground": token("accent"),
      "editorHoverWidget.background": token("overlay"),
      "editorHoverWidget.border": token("line"),
      "editorBracketHighlight.foreground1": token("muted"),
      "editorBracketHighlight.foreground2": token("muted"),
      "editorBracketHighlight.foreground3": token("muted"),
      "editorOverviewRuler.border": token("line-subtle"),
      "editorStickyScroll.background": token("surface"),
      "diffEditor.insertedLineBackground": `${token("added")}b0`,
      "diffEditor.insertedTextBackground": token("added-strong"),
      "diffEditor.removedLineBackground": `${token("removed")}b0`,
      "diffEditor.removedTextBackground": token("removed-strong"),
      "input.background": token("raised"),
      "input.foreground": token("text"),
      "input.border": token("line-strong"),
      focusBorder: token("focus"),
      "list.hoverBackground": token("hover"),
      "list.activeSelectionBackground": token("selected"),
      "list.activeSelectionForeground": token("text"),
      "menu.background": token("overlay"),
      "menu.foreground": token("text"),
      "menu.border": token("line"),
      "scrollbarSlider.background": `${token("line-strong")}40`,
      "scrollbarSlider.hoverBackground": `${token("line-strong")}70`,
      "scrollbarSlider.activeBackground": `${token("line-strong")}90`,
      "scrollbar.shadow": "#00000000",
    },
  });
  monaco.editor.setTheme("slipway");
}

/** Monaco measures its letters once; those of our face may come later than the editor. */
export function measureOurFace(): void {
  const { fontSize, fontFamily } = EDITOR_OPTIONS;
  void document.fonts
    .load(`${fontSize}px ${fontFamily}`)
    .then(() => monaco.editor.remeasureFonts())
    .catch(() => undefined);
}

/** Six digits, as Monaco wants them. */
function hex(color: string): string {
  if (/^#[0-9a-f]{6}$/i.test(color)) return color;
  if (/^#[0-9a-f]{3}$/i.test(color))
    return `#${[...color.slice(1)].map((digit) => digit + digit).join("")}`;
  const numbers = color.match(/\d+/g) ?? ["0", "0", "0"];
  return `#${numbers
    .slice(0, 3)
    .map((part) => Number(part).toString(16).padStart(2, "0"))
    .join("")}`;
}

export function uriOf(workspace: string, path: string): monaco.Uri {
  return monaco.Uri.from({ scheme: "slipway", authority: workspace, path: `/${path}` });
}

/** A model of Monaco as the buffers see it. */
export class MonacoText implements TextModel {
  readonly model: monaco.editor.ITextModel;

  constructor(workspace: string, path: string, text: string) {
    const uri = uriOf(workspace, path);
    monaco.editor.getModel(uri)?.dispose();
    this.model = monaco.editor.createModel(text, languageOf(path), uri);
    this.model.updateOptions({ trimAutoWhitespace: false });
    this.model.detectIndentation(true, languageOf(path) === "python" ? 4 : 2);
  }

  text(): string {
    return this.model.getValue(undefined, true);
  }

  version(): number {
    return this.model.getAlternativeVersionId();
  }

  edit(edits: readonly LineEdit[]): void {
    if (edits.length === 0) return;
    this.model.pushStackElement();
    this.model.pushEditOperations(
      null,
      edits.map((edit) => ({
        range: new monaco.Range(edit.startLine, edit.startColumn, edit.endLine, edit.endColumn),
        // Monaco keeps a byte order mark beside the text.
        text: edit.startLine === 1 ? edit.text.replace(/^\uFEFF/, "") : edit.text,
      })),
      () => null,
    );
    this.model.pushStackElement();
  }

  onChange(listener: () => void): void {
    this.model.onDidChangeContent(listener);
  }

  dispose(): void {
    this.model.dispose();
  }
}

/**
 * An editor in its place. The first one of all decides what Monaco copies and pastes by: in the desktop program the
 * page itself may not read the clipboard.
 */
export function createEditor(
  place: HTMLElement,
  host: Pick<Host, "clipboard" | "desktop">,
  options: monaco.editor.IStandaloneEditorConstructionOptions,
): monaco.editor.IStandaloneCodeEditor {
  return monaco.editor.create(place, { ...EDITOR_OPTIONS, ...options }, servicesOf(host));
}

/** Two texts beside each other. */
export function createDiff(
  place: HTMLElement,
  host: Pick<Host, "clipboard" | "desktop">,
  options: monaco.editor.IStandaloneDiffEditorConstructionOptions,
): monaco.editor.IStandaloneDiffEditor {
  const all = { ...EDITOR_OPTIONS, originalEditable: false, ...options };
  return monaco.editor.createDiffEditor(place, all, servicesOf(host));
}

function servicesOf(host: Pick<Host, "clipboard" | "desktop">) {
  return host.desktop ? { clipboardService: clipboardOf(host.clipboard) } : {};
}

/** Texts go through the host; what Monaco keeps for itself stays in memory. */
function clipboardOf(clipboard: Clipboard) {
  const typed = new Map<string, string>();
  let find = "";
  let resources: monaco.Uri[] = [];
  return {
    triggerPaste: () => undefined,
    writeText: async (text: string, type?: string) => {
      resources = [];
      if (type) typed.set(type, text);
      else await clipboard.write(text);
    },
    readText: async (type?: string) =>
      type ? (typed.get(type) ?? "") : clipboard.read().catch(() => ""),
    readFindText: async () => find,
    writeFindText: async (text: string) => {
      find = text;
    },
    writeResources: async (all: monaco.Uri[]) => {
      resources = all;
    },
    readResources: async () => resources,
    hasResources: async () => resources.length > 0,
    readImage: async () => new Uint8Array(0),
    clearInternalState: () => {
      resources = [];
    },
  };
}

export const EDITOR_OPTIONS: monaco.editor.IStandaloneEditorConstructionOptions = {
  automaticLayout: true,
  fontFamily: '"JetBrains Mono Variable", "JetBrains Mono", ui-monospace, monospace',
  fontSize: 13,
  lineHeight: 20,
  fontLigatures: false,
  minimap: { enabled: false },
  padding: { top: 4, bottom: 120 },
  renderLineHighlight: "all",
  scrollBeyondLastLine: false,
  smoothScrolling: false,
  stickyScroll: { enabled: true, maxLineCount: 3 },
  bracketPairColorization: { enabled: false },
  guides: { indentation: true },
  occurrencesHighlight: "singleFile",
  scrollbar: { verticalScrollbarSize: 12, horizontalScrollbarSize: 10, useShadows: false },
  overviewRulerLanes: 2,
  fixedOverflowWidgets: true,
  accessibilitySupport: "auto",
  quickSuggestions: true,
  // Without a language server most of the list is words of the text: Enter ends a line, Tab takes a word.
  acceptSuggestionOnEnter: "off",
  wordBasedSuggestions: "currentDocument",
  unicodeHighlight: { nonBasicASCII: false },
  theme: "slipway",
};
