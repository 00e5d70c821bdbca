/** What is not a text: pictures are shown, other bytes are described. */
import { useEffect, useState } from "react";
import type { Content } from "../../host/ide";
import { Empty } from "../../ui/Empty";
import { size } from "../../ui/words";
import type { BufferInfo } from "./buffer";
import { imageType } from "./shape";

export function Viewer({
  info,
  content,
  onRetry,
}: {
  info: BufferInfo;
  content: Content | null;
  onRetry: () => void;
}) {
  if (info.shape === "image" && content) return <Picture path={info.path} content={content} />;
  if (info.shape === "away")
    return (
      <Empty
        grow
        icon="cloud-off"
        title="This file is not kept here"
        text="This browser keeps the files that have edits to be saved; the others are on the server, which does not answer. It opens by itself when the server is back."
        actions={
          <button type="button" className="btn" onClick={onRetry}>
            Try now
          </button>
        }
      />
    );
  if (info.shape === "error")
    return (
      <Empty
        grow
        icon="error"
        title="The file could not be read"
        text={info.problem}
        actions={
          <button type="button" className="btn" onClick={onRetry}>
            Try again
          </button>
        }
      />
    );
  if (info.shape === "huge")
    return (
      <Empty
        grow
        icon="file"
        title="Too large to open"
        text="This file is larger than 50 MB. Read it in a program, part by part."
      />
    );
  if (info.shape === "encoding")
    return (
      <Empty
        grow
        icon="file-text"
        title="This text is not UTF-8"
        text="Saving it here would change its bytes, so it stays closed. Convert it in a terminal: iconv -f LATIN1 -t UTF-8."
      />
    );
  return (
    <Empty
      grow
      icon="box"
      title="Not a text"
      text={`${size(content?.bytes.length ?? 0)} of binary data.`}
    >
      {content ? <pre className="editor-bytes">{dump(content.bytes)}</pre> : null}
    </Empty>
  );
}

function Picture({ path, content }: { path: string; content: Content }) {
  const [url, setUrl] = useState("");
  const [sides, setSides] = useState("");
  useEffect(() => {
    const made = URL.createObjectURL(
      new Blob([content.bytes], { type: imageType(path) ?? "image/png" }),
    );
    setUrl(made);
    return () => URL.revokeObjectURL(made);
  }, [path, content]);
  return (
    <figure className="editor-picture">
      {url ? (
        <img
          src={url}
          alt={path}
          onLoad={(event) =>
            setSides(`${event.currentTarget.naturalWidth} × ${event.currentTarget.naturalHeight}`)
          }
        />
      ) : null}
      <figcaption className="small faint num">
        {sides} · {size(content.bytes.length)}
      </figcaption>
    </figure>
  );
}

function dump(bytes: Uint8Array): string {
  const rows: string[] = [];
  for (let at = 0; at < Math.min(bytes.length, 256); at += 16) {
    const part = [...bytes.subarray(at, at + 16)];
    const codes = part.map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
    const signs = part
      .map((byte) => (byte >= 32 && byte < 127 ? String.fromCharCode(byte) : "."))
      .join("");
    rows.push(`${at.toString(16).padStart(6, "0")}  ${codes.padEnd(47)}  ${signs}`);
  }
  return rows.join("\n");
}
