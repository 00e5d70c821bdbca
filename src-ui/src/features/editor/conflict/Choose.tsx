/** Two versions of which no text can be made: pictures and other bytes, or one that was deleted. */
import { useEffect, useState } from "react";
import { type Action, find } from "../../../bench/actions";
import { Act } from "../../../bench/Buttons";
import { useStore } from "../../../bench/bench";
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
  const { path, at } = resolver.conflict;
  const can = actions();
  const gone = !mine || !theirs;
  return (
    <div className="merge-choose">
      <p className="muted">
        {gone
          ? "One side deleted this file, the other one changed it. Choose what becomes of it."
          : "These two cannot be merged. Choose one, or keep both as files of their own."}
      </p>
      <div className="merge-two">
        <Side name="Yours" from={`this computer, ${when(at)}`} path={path} content={mine}>
          <Act action={find(can, "conflict.take.mine")} />
        </Side>
        <Side
          name="Theirs"
          from={theirsAt ? `the server, ${when(theirsAt)}` : "the server"}
          path={path}
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
  content: Content | null;
  children: React.ReactNode;
}

function Side({ name, from, path, content, children }: SideProps) {
  return (
    <section className="card merge-side" aria-label={name}>
      <header className="row gap3">
        <h3 className="medium">{name}</h3>
        <span className="small faint">{from}</span>
        <span className="push small faint num">{content ? size(content.bytes.length) : ""}</span>
      </header>
      <div className="merge-shown">
        {content ? (
          <Shown path={path} content={content} />
        ) : (
          <span className="row gap3 muted">
            <Icon name="trash" className="faint" />
            Deleted
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
