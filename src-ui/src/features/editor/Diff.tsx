/** Two texts beside each other, in Monaco's own editor for that. */
import type { editor } from "monaco-editor/editor";
import { useEffect, useRef } from "react";
import { useBench } from "../../bench/bench";

type Monaco = typeof import("./monaco");

export interface Sides {
  original: editor.ITextModel;
  modified: editor.ITextModel;
  /** Those that were made for this view, and go with it. */
  own: readonly editor.ITextModel[];
}

interface Props {
  label: string;
  /** What the texts are called, the left one first. */
  names: readonly [string, string];
  readOnly?: boolean;
  /** Makes both sides, again whenever it is another function; null while there is nothing to show. */
  sides: (monaco: Monaco) => Sides | null;
}

/** Where there is room for two columns. */
const WIDE_PX = 700;

export function Diff({ label, names, readOnly = false, sides }: Props) {
  const { host } = useBench();
  const [left, right] = names;
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const element = place.current;
    if (!element) return;
    let gone = false;
    let clean = () => {};
    void import("./monaco").then((monaco) => {
      const made = gone ? null : sides(monaco);
      if (!made) return;
      monaco.applyTheme();
      const { own, ...models } = made;
      const editor = monaco.createDiff(element, host, {
        readOnly,
        hideUnchangedRegions: { enabled: readOnly },
        // Without what is the same there is little to find one's way in.
        renderOverviewRuler: !readOnly,
        renderMarginRevertIcon: !readOnly,
        renderGutterMenu: false,
        lineDecorationsWidth: 22,
        renderSideBySide: element.clientWidth > WIDE_PX,
        ariaLabel: label,
      });
      named(editor.getOriginalEditor(), left);
      named(editor.getModifiedEditor(), right);
      editor.setModel(models);
      clean = () => {
        editor.dispose();
        for (const model of own) model.dispose();
      };
    });
    return () => {
      gone = true;
      clean();
    };
  }, [label, left, right, readOnly, sides, host]);
  return <div className="editor-host" ref={place} />;
}

/** Monaco forgets the name of a side whenever it lays both out anew. */
function named(side: editor.ICodeEditor, name: string): void {
  const give = () => {
    if (side.getRawOptions().ariaLabel !== name) side.updateOptions({ ariaLabel: name });
  };
  give();
  side.onDidChangeConfiguration(give);
}
