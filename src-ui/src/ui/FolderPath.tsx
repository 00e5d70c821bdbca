/** Where a folder lies. Where there is no room for all of it its end is shown, which tells it from others. */
import type { LocalWorkspace } from "../host/generated/api/LocalWorkspace";

export function FolderPath({ of }: { of: Pick<LocalWorkspace, "folder" | "short"> }) {
  return (
    <span className="folder-path small faint mono" title={of.folder}>
      <bdi dir="ltr">{of.short}</bdi>
    </span>
  );
}
