/** How each file stands, joined: what is not in step, what is uploaded, and before all what is edited here. */
import { createStore, type StoreApi } from "zustand/vanilla";
import type { Badge, EditorFacts, UploadFacts } from "../bench/bench";
import type { Here } from "../host/here";

export function joinBadges(
  editor: StoreApi<EditorFacts>,
  uploads: StoreApi<UploadFacts>,
  here: Here | null,
): { store: StoreApi<{ byPath: ReadonlyMap<string, Badge> }>; stop: () => void } {
  const joined = (): ReadonlyMap<string, Badge> => {
    const byPath = new Map<string, Badge>(here?.state.byPath);
    for (const path of uploads.getState().paths) byPath.set(path, "uploading");
    for (const [path, badge] of editor.getState().badges) byPath.set(path, badge);
    return byPath;
  };
  const store = createStore<{ byPath: ReadonlyMap<string, Badge> }>(() => ({ byPath: joined() }));
  const again = () => store.setState({ byPath: joined() });
  const stops = [
    editor.subscribe((facts, before) => {
      if (facts.badges !== before.badges) again();
    }),
    uploads.subscribe((facts, before) => {
      if (facts.paths !== before.paths) again();
    }),
    here?.store.subscribe((state, before) => {
      if (state.byPath !== before.byPath) again();
    }),
  ];
  return {
    store,
    stop: () => {
      for (const stop of stops) stop?.();
    },
  };
}
