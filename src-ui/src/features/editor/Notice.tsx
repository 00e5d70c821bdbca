/** What is to be said about the open file, above its text: conflicts, deletions, failures, limits. */
import { useHost } from "../../host/useHost";
import { Icon } from "../../ui/Icon";
import type { BufferInfo } from "./buffer";
import type { Editor, Texts } from "./editor";

interface NoticeProps {
  info: BufferInfo;
  buffers: Texts;
  editor: Editor;
  comparing: boolean;
  onCompare: (on: boolean) => void;
}

export function Notice(props: NoticeProps) {
  const { info, buffers, editor } = props;
  if (info.save === "conflict") return <Conflict {...props} />;
  if (info.gone)
    return (
      <Banner tone="warn" icon="trash">
        <span className="grow">
          <b className="medium">This file was deleted.</b> Its text is still here, and earlier
          versions stay in the history.
        </span>
        <Act label="Bring it back" run={() => void buffers.revive(info.path)} />
        <Act label="Close it" run={() => void editor.discard(info.path)} />
      </Banner>
    );
  if (info.save === "failed")
    return (
      <Banner tone="danger" icon="error">
        <span className="grow">
          <b className="medium">Not saved.</b> {info.problem} Your text is kept on this computer.
        </span>
        <Act label="Save again" run={() => void buffers.save(info.path)} />
      </Banner>
    );
  if (info.shape === "large")
    return (
      <Banner tone="" icon="info">
        <span>This file is larger than 5 MB, so it opens for reading only.</span>
      </Banner>
    );
  return null;
}

/** A choice between two versions is for what is shown: each button carries the version that it was drawn with. */
function Conflict({ info, buffers, comparing, onCompare }: NoticeProps) {
  const host = useHost();
  const comparable = buffers.theirs(info.path) !== null;
  const copyMine = () => {
    const text = buffers.model(info.path)?.text() ?? "";
    const name = info.path.slice(info.path.lastIndexOf("/") + 1);
    host.saveFile(`mine-${name}`, new Blob([text]));
  };
  return (
    <Banner tone="warn" icon="alert">
      <span className="grow">
        <b className="medium">This file changed elsewhere.</b> {info.problem} Both versions are kept
        until you choose.
      </span>
      {comparable ? (
        <Act label={comparing ? "Hide difference" : "Compare"} run={() => onCompare(!comparing)} />
      ) : null}
      <Act label="Download mine" run={copyMine} />
      <Act label="Keep mine" run={() => void buffers.keepMine(info.path, info.theirsHash)} />
      <Act label="Take theirs" run={() => void buffers.takeTheirs(info.path, info.theirsHash)} />
    </Banner>
  );
}

function Banner({
  tone,
  icon,
  children,
}: {
  tone: string;
  icon: string;
  children: React.ReactNode;
}) {
  return (
    <div className={`banner ${tone} file-banner`} role={tone === "" ? "status" : "alert"}>
      <Icon name={icon} />
      {children}
    </div>
  );
}

function Act({ label, run }: { label: string; run: () => void }) {
  return (
    <button type="button" className="btn btn-sm" onClick={run}>
      {label}
    </button>
  );
}
