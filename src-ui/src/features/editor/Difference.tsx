/** Two texts beside each other, both to be read only. */
import { useEffect, useRef } from "react";
import { useBench } from "../../bench/bench";
import { languageOf } from "./shape";

interface Props {
  path: string;
  before: string;
  after: string;
  /** What stands on which side. */
  label: string;
}

export function Difference({ path, before, after, label }: Props) {
  const { host } = useBench();
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const element = place.current;
    if (!element) return;
    let gone = false;
    let clean = () => {};
    void import("./monaco").then((monaco) => {
      if (gone) return;
      monaco.applyTheme();
      const language = languageOf(path);
      const original = monaco.monaco.editor.createModel(before, language);
      const modified = monaco.monaco.editor.createModel(after, language);
      const editor = monaco.createDiff(element, host, {
        readOnly: true,
        hideUnchangedRegions: { enabled: true },
        renderSideBySide: element.clientWidth > 700,
        ariaLabel: label,
      });
      editor.setModel({ original, modified });
      clean = () => {
        editor.dispose();
        original.dispose();
        modified.dispose();
      };
    });
    return () => {
      gone = true;
      clean();
    };
  }, [path, before, after, label, host]);
  return <div className="editor-host" ref={place} />;
}
