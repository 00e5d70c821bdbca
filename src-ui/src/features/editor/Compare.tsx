/** Theirs beside mine, read from the server and the open text; mine stays editable. */
import { useEffect, useRef } from "react";
import { useBench } from "../../bench/bench";
import type { Texts } from "./editor";
import { languageOf } from "./shape";

export function Compare({ path, buffers }: { path: string; buffers: Texts }) {
  const { host } = useBench();
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const element = place.current;
    if (!element) return;
    let gone = false;
    let clean = () => {};
    void import("./monaco").then(({ monaco, createDiff, uriOf }) => {
      if (gone) return;
      const mine = monaco.editor.getModel(uriOf(buffers.workspace, path));
      if (!mine) return;
      const theirs = monaco.editor.createModel(buffers.theirs(path) ?? "", languageOf(path));
      const editor = createDiff(element, host, {
        renderSideBySide: element.clientWidth > 700,
        ariaLabel: `${path}: theirs and mine`,
      });
      editor.setModel({ original: theirs, modified: mine });
      clean = () => {
        editor.dispose();
        theirs.dispose();
      };
    });
    return () => {
      gone = true;
      clean();
    };
  }, [path, buffers, host]);
  return (
    <div className="editor-compare">
      <div className="editor-sides small">
        <span>
          <span className="danger mono">−</span> <b className="medium">Theirs</b>{" "}
          <span className="faint">on the server</span>
        </span>
        <span>
          <span className="ok mono">+</span> <b className="medium">Mine</b>{" "}
          <span className="faint">not saved yet, edit freely</span>
        </span>
      </div>
      <div className="editor-host" ref={place} />
    </div>
  );
}
