/** Theirs beside mine: the file as it is now, and the open text; mine stays editable. */
import { useCallback } from "react";
import { Diff, type Sides } from "./Diff";
import type { Texts } from "./editor";
import { languageOf } from "./shape";

export function Compare({ path, buffers }: { path: string; buffers: Texts }) {
  const sides = useCallback(
    ({ monaco, uriOf }: typeof import("./monaco")): Sides | null => {
      const modified = monaco.editor.getModel(uriOf(buffers.workspace, path));
      if (!modified) return null;
      const original = monaco.editor.createModel(buffers.theirs(path) ?? "", languageOf(path));
      return { original, modified, own: [original] };
    },
    [path, buffers],
  );
  return (
    <div className="editor-compare">
      <div className="editor-sides small">
        <span>
          <span className="danger mono">−</span> <b className="medium">Theirs</b>{" "}
          <span className="faint">the file as it is now</span>
        </span>
        <span>
          <span className="ok mono">+</span> <b className="medium">Mine</b>{" "}
          <span className="faint">not saved yet, edit freely</span>
        </span>
      </div>
      <Diff label={`${path}: theirs and mine`} names={["Theirs", "Mine"]} sides={sides} />
    </div>
  );
}
