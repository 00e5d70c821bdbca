/** Where tests put a part of the page up: on the fake host, with styles, in a theme, and axe at hand. */
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import axe from "axe-core";
import type { ReactNode } from "react";
import { render } from "vitest-browser-react";
import { type FakeHost, type FakeState, fakeHost } from "../host/fake";
import { HostContext } from "../host/useHost";
import { PopupLayer } from "../ui/PopupLayer";
import { createPopups, PopupContext } from "../ui/popups";
import "../styles/shared";

export const THEMES = ["dark", "light"] as const;
export type Theme = (typeof THEMES)[number];

export interface Staged {
  host: FakeHost;
  popups: ReturnType<typeof createPopups>;
}

export async function stage(
  part: ReactNode,
  options: {
    state?: FakeState;
    desktop?: boolean;
    theme?: Theme;
    before?: (host: FakeHost) => Promise<void>;
  } = {},
): Promise<Staged> {
  const host = fakeHost(options.state, options.desktop);
  await options.before?.(host);
  const popups = createPopups();
  const lists = new QueryClient({
    defaultOptions: { queries: { retry: false, networkMode: "always" } },
  });
  document.documentElement.dataset.theme = options.theme ?? "dark";
  document.documentElement.lang = "en";
  document.title = "Slipway";
  host.socket.start();
  await render(
    <HostContext value={host}>
      <PopupContext value={popups}>
        <QueryClientProvider client={lists}>
          {part}
          <PopupLayer popups={popups} />
        </QueryClientProvider>
      </PopupContext>
    </HostContext>,
  );
  return { host, popups };
}

/** What axe finds on the page as it is, in words; nothing is right. */
export async function faults(): Promise<string[]> {
  // A part is not a page: landmarks are judged where the whole page stands.
  const rules = { region: { enabled: false }, "page-has-heading-one": { enabled: false } };
  const { violations } = await axe.run(document, { rules });
  return violations.map((one) => `${one.id}: ${one.nodes.map((node) => node.html).join(" ")}`);
}
