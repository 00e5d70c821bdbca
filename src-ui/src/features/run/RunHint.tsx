/** What helps after a run that failed: memory that was not enough, or a package that is missing. */
import { type ReactNode, useEffect, useState } from "react";
import { useBench } from "../../bench/bench";
import type { Run } from "../../host/generated/api/Run";
import { MIB, SESSION_MEMORY_BYTES } from "../../host/generated/limits";
import { Icon } from "../../ui/Icon";
import { size } from "../../ui/words";
import { isOver, missingPackage, wasOutOfMemory } from "./words";

export interface HintProps {
  run: Run;
  text: (run: Run) => Promise<string>;
  /** The memory of the run, drawn; null when nobody watched. */
  curve: ReactNode;
}

export function RunHint({ run, text, curve }: HintProps) {
  const missing = useMissing(run, text);
  const bench = useBench();
  const over = isOver(run);
  return (
    <>
      {over && run.output_truncated ? (
        <div className="banner run-hint" role="status">
          <Icon name="info" />
          <span>
            It wrote more than is kept. The last {size(run.output_bytes)} are here; write long
            output to a file.
          </span>
        </div>
      ) : null}
      {over && wasOutOfMemory(run) ? (
        <div className="run-memory" role="status">
          <div className="banner warn run-hint">
            <Icon name="memory" />
            <span>
              <b className="medium">Out of memory: it was ended (exit code 137).</b> A session has{" "}
              {SESSION_MEMORY_BYTES / MIB} MiB. Read large files in parts, for example{" "}
              <code className="mono">chunksize=50_000</code>. Your files are safe.
            </span>
          </div>
          {curve}
        </div>
      ) : null}
      {missing ? (
        <div className="banner run-hint" role="status">
          <Icon name="package" />
          <span className="grow">
            <b className="medium">{missing.module}</b> is not installed.
          </span>
          <button
            type="button"
            className="btn btn-sm"
            title="Runs it in a terminal"
            onClick={() => void bench.typeCommand(missing.command, { run: true })}
          >
            {missing.command}
          </button>
        </div>
      ) : null}
    </>
  );
}

function useMissing(run: Run, text: HintProps["text"]) {
  const [missing, setMissing] = useState<{ module: string; command: string } | null>(null);
  const failed = isOver(run) && run.exit?.code !== 0;
  // biome-ignore lint/correctness/useExhaustiveDependencies: one look at the output when a run has ended
  useEffect(() => {
    setMissing(null);
    if (!failed) return;
    let gone = false;
    void text(run).then(
      (output) => !gone && setMissing(missingPackage(output)),
      () => undefined,
    );
    return () => {
      gone = true;
    };
  }, [run.id, failed]);
  return missing;
}
