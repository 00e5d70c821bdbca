/** The explorer: its head, the tree or what stands for it, and the uploads below. */
import { useEffect } from "react";
import { entryOf, find } from "../../bench/actions";
import { Tool } from "../../bench/Buttons";
import { useBench, useStore } from "../../bench/bench";
import { SideHead } from "../../bench/SideHead";
import { Empty } from "../../ui/Empty";
import { Icon } from "../../ui/Icon";
import { Waiting } from "../../ui/Waiting";
import type { Explorer } from "./model";
import { TreeView } from "./TreeView";
import { UploadList } from "./UploadList";
import { WaitingEdits } from "./WaitingEdits";
import "./explorer.css";

export function ExplorerView({ explorer }: { explorer: Explorer }) {
  const bench = useBench();
  const loaded = useStore(bench.live.store, (state) => state.loaded);
  const listed = useListed();
  const failure = useStore(bench.live.store, (state) => state.failure);
  useActiveFile(explorer);
  return (
    <>
      <SideHead title="Explorer">
        <Tool action={find(bench.actions(), "file.new")} />
        <Tool action={find(bench.actions(), "folder.new")} />
        <button
          type="button"
          className="btn btn-ghost btn-icon btn-sm"
          aria-label="Upload"
          aria-haspopup="menu"
          title="Upload"
          onClick={(event) =>
            bench.menu(
              event.currentTarget,
              ["file.upload", "folder.upload"].map((id) => entryOf(find(bench.actions(), id))),
            )
          }
        >
          <Icon name="upload" />
        </button>
      </SideHead>
      {loaded === "kept" ? (
        <p className="explorer-kept row small muted" role="status">
          <Icon name="cloud-off" className="warn" />
          The files as they were last seen
        </p>
      ) : null}
      {listed ? <TreeView explorer={explorer} /> : null}
      {loaded === "loading" && !failure ? <Waiting place="side" label="Loading files" /> : null}
      {!listed && failure ? (
        <Empty
          icon="cloud-off"
          title="The files could not be listed"
          text={failure.detail}
          actions={
            <button type="button" className="btn" onClick={() => void bench.live.pullFiles()}>
              Try again
            </button>
          }
        />
      ) : null}
      <WaitingEdits />
      <UploadList uploads={explorer.uploads} />
    </>
  );
}

/** Whether there is a tree, from the server or an earlier visit. */
function useListed(): boolean {
  const bench = useBench();
  return useStore(bench.live.store, ({ loaded }) => loaded === "ready" || loaded === "kept");
}

/** The file that is shown in the editor is shown in the tree. */
function useActiveFile(explorer: Explorer): void {
  const bench = useBench();
  const active = useStore(bench.editor, (facts) => facts.active);
  const listed = useListed();
  useEffect(() => {
    if (!listed || active === null) return;
    if (explorer.store.getState().focused !== active) explorer.reveal(active);
  }, [explorer, active, listed]);
}
