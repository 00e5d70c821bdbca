/** The uploads that go on or went wrong: bytes, a way to stop, and what was left out. */
import { useEffect } from "react";
import { useStore } from "../../bench/bench";
import { useHost } from "../../host/useHost";
import { Icon } from "../../ui/Icon";
import { Progress } from "../../ui/Progress";
import { size } from "../../ui/words";
import type { Batch, Uploads } from "./upload";

const SHOWN_MS = 4_000;

export function UploadList({ uploads }: { uploads: Uploads }) {
  const batches = useStore(uploads.store, (state) => state.batches);
  if (batches.length === 0) return null;
  return (
    <section className="explorer-uploads" aria-label="Uploads">
      {batches.map((batch) => (
        <Upload key={batch.id} batch={batch} uploads={uploads} />
      ))}
    </section>
  );
}

function Upload({ batch, uploads }: { batch: Batch; uploads: Uploads }) {
  const host = useHost();
  const { id, label, sent, total, state, problems } = batch;
  const well = state === "done" && problems.length === 0;
  useEffect(
    () => (well ? host.after(SHOWN_MS, () => uploads.dismiss(id)) : undefined),
    [well, host, uploads, id],
  );
  return (
    <div className="explorer-upload">
      <div className="row gap2">
        <Icon
          name={well ? "check" : state === "sending" ? "upload" : "alert"}
          className={toneOf(batch)}
        />
        <span className="small truncate grow" title={label}>
          {label}
        </span>
        <span className="small faint num">{words(batch)}</span>
        {/* How it ended, and not every byte on the way. */}
        <span className="visually-hidden" role="status">
          {state === "sending" ? "" : `${label}: ${words(batch)}`}
        </span>
        <button
          type="button"
          className="btn btn-ghost btn-icon btn-sm"
          aria-label={state === "sending" ? `Cancel the upload of ${label}` : "Dismiss"}
          title={state === "sending" ? "Cancel" : "Dismiss"}
          onClick={() => (state === "sending" ? uploads.cancel(id) : uploads.dismiss(id))}
        >
          <Icon name="x" />
        </button>
      </div>
      {state === "sending" ? (
        <Progress label={`Upload of ${label}`} done={sent} total={total} thin />
      ) : null}
      {problems.length > 0 ? (
        <ul className="small explorer-left-out">
          {problems.slice(0, 4).map((problem) => (
            <li key={problem}>{problem}</li>
          ))}
          {problems.length > 4 ? <li className="faint">and {problems.length - 4} more</li> : null}
        </ul>
      ) : null}
    </div>
  );
}

function toneOf({ state, problems }: Batch): string {
  if (state === "failed") return "danger";
  if (state === "cancelled" || problems.length > 0) return "warn";
  return state === "done" ? "ok" : "accent";
}

function words({ state, sent, total, problems }: Batch): string {
  switch (state) {
    case "sending":
      return `${size(sent)} of ${size(total)}`;
    case "cancelled":
      return "Cancelled";
    case "failed":
      return "Stopped";
    case "done":
      return problems.length > 0 ? `${problems.length} not uploaded` : "Uploaded";
  }
}
