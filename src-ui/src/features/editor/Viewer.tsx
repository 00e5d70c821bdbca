/** What is not a text: pictures are shown, other bytes are described. */
import { useEffect, useState } from "react";
import type { Content } from "../../host/ide";
import { Icon } from "../../ui/Icon";
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
      <Words
        icon="cloud-off"
        title="This file is not kept here"
        text="This browser keeps the files that have edits to be saved; the others are on the server, which does not answer. It opens by itself when the server is back."
      >
        <button type="button" className="btn" onClick={onRetry}>
          Try now
        </button>
      </Words>
    );
  if (info.shape === "error")
    return (
      <Words icon="error" title="The file could not be read" text={info.problem}>
        <button type="button" className="btn" onClick={onRetry}>
          Try again
        </button>
      </Words>
    );
  if (info.shape === "huge")
    return (
      <Words
        icon="file"
        title="Too large to open"
        text="This file is larger than 50 MB. Read it in a program, part by part."
      />
    );
  if (info.shape === "encoding")
    return (
      <Words
        icon="file-text"
        title="This text is not UTF-8"
        text="Saving it here would change its bytes, so it stays closed. Convert it in a terminal: iconv -f LATIN1 -t UTF-8."
      />
    );
  return (
    <Words
      icon="box"
      title="Not a text"
      text={`${size(content?.bytes.length ?? 0)} of binary data.`}
    >
      {content ? <pre className="editor-bytes">{dump(content.bytes)}</pre> : null}
    </Words>
  );
}

function Words({
  icon,
  title,
  text,
  children,
}: {
  icon: string;
  title: string;
  text: string;
  children?: React.ReactNode;
}) {
  return (
    <div className="empty editor-viewer">
      <Icon name={icon} />
      <h2>{title}</h2>
      <p>{text}</p>
      {children}
    </div>
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
