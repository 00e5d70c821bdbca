/** Two versions of which no text can be made: pictures and other bytes, or one that was deleted. */
import { useEffect, useState } from "react";
import { type Action, find } from "../../../bench/actions";
import { Act } from "../../../bench/Buttons";
import { useStore } from "../../../bench/bench";
import type { Kind } from "../../../host/generated/api/Kind";
import type { Content } from "../../../host/ide";
import { Icon } from "../../../ui/Icon";
import { day, size, timeOfDay } from "../../../ui/words";
import { decode, isText } from "../saving";
import { imageType, shapeOf } from "../shape";
import type { Resolver } from "./resolver";

/** As much of a text as says which one it is. */
const SHOWN_CHARS = 2_000;

export function Choose({ resolver, actions }: { resolver: Resolver; actions: () => Action[] }) {
  const { mine, theirs, theirsAt } = useStore(resolver.store, (one) => one);
  const { path, at, mine: ours, theirs: others } = resolver.conflict;
  const can = actions();
  const gone = others === undefined;
  return (
    <div className="merge-choose">
      <p className="muted">
        {gone
          ? "It was deleted on the server and changed here. Choose what becomes of it."
          : "These two cannot be merged. Choose one, or keep both as files of their own."}
      </p>
      <div className="merge-two">
        <Side
          name="Yours"
          from={`this computer, ${when(at)}`}
          path={path}
          kind={ours}
          content={mine}
        >
          {can.some(({ id }) => id === "conflict.take.mine") ? (
            <Act action={find(can, "conflict.take.mine")} />
          ) : null}
        </Side>
        <Side
          name="Theirs"
          from={theirsAt ? `the server, ${when(theirsAt)}` : "the server"}
          path={path}
          kind={others}
          content={theirs}
        >
          <Act action={find(can, "conflict.take.theirs")} />
        </Side>
      </div>
      {gone ? null : (
        <div className="row gap3">
          <Act action={find(can, "conflict.keepBoth")} />
          <span className="small muted">The copy stays beside it, under its own name.</span>
        </div>
      )}
    </div>
  );
}

function when(at: string): string {
  return `${day(at)} ${timeOfDay(at)}`;
}

interface SideProps {
  name: string;
  from: string;
  path: string;
  kind: Kind | undefined;
  content: Content | null;
  children: React.ReactNode;
}

/** What has no content to be shown. */
const THINGS = {
  file: { icon: "file", text: "A file" },
  folder: { icon: "folder", text: "A folder, with what is in it" },
  symlink: { icon: "external", text: "A link" },
  gone: { icon: "trash", text: "Deleted" },
} as const;

function Side({ name, from, path, kind, content, children }: SideProps) {
  const { icon, text } = THINGS[kind ?? "gone"];
  return (
    <section className="card merge-side" aria-label={name}>
      <header className="row gap3">
        <h3 className="medium">{name}</h3>
        <span className="small faint">{from}</span>
        <span className="push small faint num">{content ? size(content.bytes.length) : ""}</span>
      </header>
      <div className="merge-shown">
        {content && kind === "file" ? (
          <Shown path={path} content={content} />
        ) : (
          <span className="row gap3 muted">
            <Icon name={icon} className="faint" />
            {text}
          </span>
        )}
      </div>
      <footer>{children}</footer>
    </section>
  );
}

function Shown({ path, content }: { path: string; content: Content }) {
  const type = imageType(path);
  if (type) return <Picture type={type} content={content} alt={path} />;
  const shape = shapeOf(path, content.bytes.length, content.bytes);
  if (!isText(shape))
    return <span className="muted">{size(content.bytes.length)} of binary data</span>;
  return <pre className="mono">{decode(content).slice(0, SHOWN_CHARS)}</pre>;
}

function Picture({ type, content, alt }: { type: string; content: Content; alt: string }) {
  const [url, setUrl] = useState("");
  const [broken, setBroken] = useState(false);
  useEffect(() => {
    const made = URL.createObjectURL(new Blob([content.bytes], { type }));
    setUrl(made);
    setBroken(false);
    return () => URL.revokeObjectURL(made);
  }, [type, content]);
  if (broken) return <span className="muted">This is no picture that can be shown.</span>;
  return url ? <img src={url} alt={alt} onError={() => setBroken(true)} /> : null;
}
