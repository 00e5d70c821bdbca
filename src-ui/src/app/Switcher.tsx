/** The workspace's name in the header, and the way to others. */
import { useEffect, useState } from "react";
import { navigate } from "wouter/use-browser-location";
import { entryOf, find } from "../bench/actions";
import { type MenuEntry, useHere, useStore } from "../bench/bench";
import { keepName, keptName } from "../features/workspaces/keptName";
import type { Workspace } from "../host/generated/api/Workspace";
import type { Workspaces } from "../host/generated/api/Workspaces";
import type { Host } from "../host/host";
import { failureOf } from "../host/ide";
import { lackIn } from "../host/lack";
import { DesktopCalls } from "../host/local";
import { Icon } from "../ui/Icon";
import type { Workbench } from "./workbench";

const SHOWN = 12;

export function Switcher({ workbench }: { workbench: Workbench }) {
  const { bench, host, live, editor } = workbench;
  const id = live.calls.workspace;
  const [told, setName] = useState(keptName(host.kept, id));
  const here = useHere(({ workspace }) => workspace, null);
  const name = here?.name || told;
  const online = useStore(live.store, (state) => state.connection.state === "online");
  const active = useStore(editor.facts, (facts) => facts.active);
  // biome-ignore lint/correctness/useExhaustiveDependencies: asked again when the server is back
  useEffect(() => {
    let gone = false;
    host
      .exchange("GET", `/workspaces/${id}`)
      .then((answer) => answer.json())
      .then(
        (workspace: Workspace) => {
          if (gone) return;
          setName(workspace.name);
          keepName(host.kept, id, workspace.name);
        },
        () => undefined,
      );
    return () => {
      gone = true;
    };
  }, [host, id, online]);
  useEffect(() => {
    const file = active?.split("/").at(-1);
    const where = here ? `${name} (${here.short})` : name;
    document.title = [file, where, "Slipway"].filter(Boolean).join(" – ");
  }, [active, name, here]);
  const open = async (at: Element) => bench.menu(at, await entries(workbench));
  return (
    <button
      type="button"
      className="switcher btn-reset"
      aria-haspopup="menu"
      aria-label={["Workspace", name, here ? `in ${here.short}` : ""].filter(Boolean).join(" ")}
      title={here ? `${here.folder}: other workspaces` : "Other workspaces"}
      onClick={(event) => void open(event.currentTarget)}
    >
      <span className="truncate">{name || "Workspace"}</span>
      <Icon name="chevrons-up-down" />
    </button>
  );
}

async function entries({ bench, host, live }: Workbench): Promise<(MenuEntry | null)[]> {
  const all = entryOf(find(bench.actions(), host.desktop ? "app.start" : "app.workspaces"));
  if (host.desktop) return [...(await localEntries(host, live.calls.workspace)), all];
  const others = await host
    .exchange("GET", "/workspaces")
    .then(async (answer) => ((await answer.json()) as Workspaces).workspaces)
    .catch(failureOf);
  if (!Array.isArray(others)) {
    const disabled = lackIn(others);
    return [{ label: "Other workspaces", disabled, run: () => undefined }, null, all];
  }
  const found = others.filter((one) => one.id !== live.calls.workspace).slice(0, SHOWN);
  const running = ["ready", "idle"];
  const choices = found.map((one) => ({
    label: one.name,
    icon: "folder",
    ...(running.includes(one.session?.state ?? "") ? { keys: "running" } : {}),
    run: () => navigate(`/w/${one.id}`),
  }));
  return choices.length > 0 ? [...choices, null, all] : [all];
}

/** In the desktop program: the workspaces of this computer, the one opened last first. */
async function localEntries(host: Host, own: string): Promise<(MenuEntry | null)[]> {
  const all = await new DesktopCalls(host.exchange).workspaces().catch(() => []);
  const others = all.filter(({ id }) => id !== own).slice(0, SHOWN);
  const entries = others.map(({ id, name, folder, short, there }) => ({
    label: name,
    icon: "folder",
    folder: { folder, short },
    ...(there ? {} : { keys: "gone" }),
    run: () => navigate(`/w/${id}`),
  }));
  return entries.length > 0 ? [...entries, null] : [];
}
