/** The picture that a run wrote, beside its output. */
import { useEffect, useState } from "react";
import { useBench } from "../../bench/bench";
import { failureOf } from "../../host/ide";
import { Icon } from "../../ui/Icon";
import { size } from "../../ui/words";

export function RunPicture({ path }: { path: string }) {
  const bench = useBench();
  const [shown, setShown] = useState<{ url: string; bytes: number } | null>(null);
  const [sides, setSides] = useState("");
  const [problem, setProblem] = useState("");
  const revision = bench.live.entries.get(path)?.revision ?? 0;
  // biome-ignore lint/correctness/useExhaustiveDependencies: read again when the file has changed
  useEffect(() => {
    let url = "";
    let gone = false;
    bench.live.calls.read(path).then(
      ({ bytes }) => {
        if (gone) return;
        const type = path.toLowerCase().endsWith(".svg") ? "image/svg+xml" : "";
        url = URL.createObjectURL(new Blob([bytes], { type }));
        setShown({ url, bytes: bytes.length });
      },
      (error: unknown) => !gone && setProblem(failureOf(error).detail),
    );
    return () => {
      gone = true;
      URL.revokeObjectURL(url);
    };
  }, [path, revision]);
  return (
    <figure className="run-picture" aria-label={path}>
      <figcaption className="pane-head">
        <Icon name="image" />
        <span className="truncate medium">{path}</span>
        <span className="faint num truncate">
          {shown ? [sides, size(shown.bytes)].filter(Boolean).join(" · ") : problem}
        </span>
        <button
          type="button"
          className="btn btn-ghost btn-icon btn-sm push"
          aria-label={`Open ${path}`}
          title="Open in the editor"
          onClick={() => bench.open(path)}
        >
          <Icon name="maximize" />
        </button>
      </figcaption>
      {shown ? (
        <img
          src={shown.url}
          alt={`What the run drew: ${path}`}
          onLoad={({ currentTarget: { naturalWidth, naturalHeight } }) =>
            setSides(`${naturalWidth} × ${naturalHeight}`)
          }
        />
      ) : null}
    </figure>
  );
}
