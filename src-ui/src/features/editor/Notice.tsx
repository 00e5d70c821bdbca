/** What is to be said about the open file, above its text: conflicts, deletions, failures, limits. */
import type { ReactNode } from "react";
import { type Action, hintOf } from "../../bench/actions";
import { Icon } from "../../ui/Icon";
import type { BufferInfo } from "./buffer";

/** `actions` are those of the trouble that the file is in. */
export function Notice({ info, actions }: { info: BufferInfo; actions: readonly Action[] }) {
  if (info.save === "conflict")
    return (
      <Banner tone="warn" icon="alert" actions={actions}>
        <b className="medium">This file changed elsewhere.</b> {info.problem} Both versions are kept
        until you choose.
      </Banner>
    );
  if (info.gone)
    return (
      <Banner tone="warn" icon="trash" actions={actions}>
        <b className="medium">This file was deleted.</b> Its text is still here until you choose.
      </Banner>
    );
  if (info.save === "failed")
    return (
      <Banner tone="danger" icon="error" actions={actions}>
        <b className="medium">Not saved.</b> {info.problem} Your text is kept on this computer.
      </Banner>
    );
  if (info.shape === "large")
    return (
      <Banner tone="" icon="info" actions={[]}>
        This file is larger than 5 MB, so it opens for reading only.
      </Banner>
    );
  return null;
}

/** Of a file that both sides changed: where the two are made one. */
export function ConflictNotice({ action }: { action: Action }) {
  return (
    <Banner tone="warn" icon="alert" actions={[action]}>
      <b className="medium">This computer and the server changed this file.</b> Both versions are
      kept until you choose.
    </Banner>
  );
}

interface BannerProps {
  tone: string;
  icon: string;
  actions: readonly Action[];
  children: ReactNode;
}

function Banner({ tone, icon, actions, children }: BannerProps) {
  return (
    <div className={`banner ${tone} file-banner`} role={tone === "" ? "status" : "alert"}>
      <Icon name={icon} />
      <span className="grow">{children}</span>
      {actions.map((one) => (
        <button
          key={one.id}
          type="button"
          className="btn btn-sm"
          title={hintOf(one)}
          onClick={one.run}
        >
          {one.title}
        </button>
      ))}
    </div>
  );
}
