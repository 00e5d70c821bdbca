/** The kept output of a run, drawn as its terminal would, for reading only. */
import { useEffect, useRef, useState } from "react";
import type { TerminalScreen } from "./screen";
import "./terminal.css";

export function KeptOutput({ load }: { load: () => Promise<Uint8Array> }) {
  const host = useRef<HTMLDivElement>(null);
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
      openLink: (url: string) => void window.open(url, "_blank", "noopener,noreferrer"),
    };
    void Promise.all([import("./screen"), loading.current()]).then(
      ([{ TerminalScreen }, bytes]) => {
        if (gone || !host.current) return;
        screen = new TerminalScreen(nobody, true);
        screen.mount(host.current);
        screen.write(bytes, () => undefined);
        setState(bytes.length === 0 ? "empty" : "shown");
      },
      () => !gone && setState("failed"),
    );
    return () => {
      gone = true;
      screen?.dispose();
    };
  }, []);
  return (
    <div className="term-view">
      <div className="term-host" ref={host} />
      {state === "empty" ? <p className="term-kept faint">It wrote nothing.</p> : null}
      {state === "failed" ? (
        <p className="term-kept faint">The output cannot be read now. It is kept on the server.</p>
      ) : null}
    </div>
  );
}
