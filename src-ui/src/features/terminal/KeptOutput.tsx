/** The kept output of a run, drawn as its terminal would, for reading only. */
import { useEffect, useRef, useState } from "react";
import { useHost } from "../../host/useHost";
import type { TerminalScreen } from "./screen";
import "./terminal.css";

export function KeptOutput({ load }: { load: () => Promise<Uint8Array> }) {
  const host = useHost();
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
        screen = new TerminalScreen(nobody, host, true);
        screen.mount(place.current);
        screen.write(bytes, () => undefined);
        setState(bytes.length === 0 ? "empty" : "shown");
      },
      () => !gone && setState("failed"),
    );
    return () => {
      gone = true;
      screen?.dispose();
    };
  }, [host]);
  return (
    <div className="term-view">
      <div className="term-host" ref={place} />
      {state === "empty" ? <p className="term-kept faint">It wrote nothing.</p> : null}
      {state === "failed" ? (
        <p className="term-kept faint">The output cannot be read now. It is kept on the server.</p>
      ) : null}
    </div>
  );
}
