/** The kept output of a run, drawn as its terminal would, for reading only. */
import { useEffect, useRef, useState } from "react";
import { useStore } from "../../bench/bench";
import { useHost } from "../../host/useHost";
import { Reader } from "./Reader";
import type { TerminalScreen } from "./screen";
import type { Terminals } from "./terminals";
import "./terminal.css";

interface Props {
  terminals: Terminals;
  /** Of the run. */
  id: string;
  name: string;
  load: () => Promise<Uint8Array>;
}

export function KeptOutput({ terminals, id, name, load }: Props) {
  const host = useHost();
  const [drawn, setDrawn] = useState<TerminalScreen | null>(null);
  const reads = useStore(terminals.store, ({ aside }) => aside?.id === id && aside.what === "read");
  const place = useRef<HTMLDivElement>(null);
  const [state, setState] = useState<"loading" | "shown" | "empty" | "failed">("loading");
  const loading = useRef(load);
  useEffect(() => {
    let gone = false;
    let screen: TerminalScreen | null = null;
    const nobody = {
      typed: () => undefined,
      resized: () => undefined,
      titled: () => undefined,
      linked: () => undefined,
      ended: () => undefined,
      confirmPaste: () => Promise.resolve(false),
    };
    void Promise.all([import("./screen"), loading.current()]).then(
      ([{ TerminalScreen }, bytes]) => {
        if (gone || !place.current) return;
        screen = new TerminalScreen(nobody, host, `Output of ${name}`);
        screen.mount(place.current);
        screen.write(bytes, () => setDrawn(screen));
        setState(bytes.length === 0 ? "empty" : "shown");
      },
      () => !gone && setState("failed"),
    );
    return () => {
      gone = true;
      screen?.dispose();
    };
  }, [host, name]);
  useEffect(() => {
    terminals.drawn(id, true);
    return () => terminals.drawn(id, false);
  }, [terminals, id]);
  const close = () => {
    terminals.aside(id, null);
    drawn?.focus();
  };
  return (
    <div className="term-view">
      <div className="term-host" ref={place} />
      {state === "empty" ? <p className="term-kept faint">It wrote nothing.</p> : null}
      {state === "failed" ? (
        <p className="term-kept faint">The output cannot be read now. It is kept on the server.</p>
      ) : null}
      {reads && drawn ? <Reader text={drawn.text()} onClose={close} /> : null}
    </div>
  );
}
