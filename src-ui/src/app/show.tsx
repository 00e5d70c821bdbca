/** Puts the page up: fonts and styles, then everything else, on the host that the entry chose. */
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import "@fontsource-variable/inter/index.css";
import "@fontsource-variable/jetbrains-mono/index.css";
import "../styles/shared";
import type { Host } from "../host/host";
import { HostContext } from "../host/useHost";
import { App } from "./App";
import { followSystem } from "./theme";

export function show(host: Host): void {
  followSystem(host.kept);
  const root = document.getElementById("root");
  if (root)
    createRoot(root).render(
      <StrictMode>
        <HostContext value={host}>
          <App />
        </HostContext>
      </StrictMode>,
    );
}
