/** What the desktop program answers about itself and the workspaces of this machine, and the lists that are made of it. */
import { type QueryClient, useQuery, useQueryClient } from "@tanstack/react-query";
import type { Desktop } from "./generated/api/Desktop";
import type { LocalWorkspace } from "./generated/api/LocalWorkspace";
import type { LocalWorkspaces } from "./generated/api/LocalWorkspaces";
import type { NewLocal } from "./generated/api/NewLocal";
import type { ServerInfo } from "./generated/api/ServerInfo";
import type { Told } from "./generated/api/Told";
import type { Exchange } from "./ide";
import { useHost } from "./useHost";

export class DesktopCalls {
  constructor(private readonly exchange: Exchange) {}

  desktop = () => this.ask<Desktop>("GET", "/desktop");
  workspaces = async () =>
    (await this.ask<LocalWorkspaces>("GET", "/desktop/workspaces")).workspaces;
  open = (folder: string) => this.ask<LocalWorkspace>("POST", "/desktop/open", { folder });
  make = (wish: NewLocal) => this.ask<LocalWorkspace>("POST", "/desktop/workspaces", wish);
  clone = (workspace: string) => this.ask<LocalWorkspace>("POST", "/desktop/clone", { workspace });
  /** Its folder is gone, and comes from its server again. */
  again = (workspace: string) =>
    this.ask<LocalWorkspace>("POST", `/desktop/workspaces/${workspace}/again`);
  /** The folder and its files stay. */
  forget = async (workspace: string): Promise<void> => {
    await this.exchange("DELETE", `/desktop/workspaces/${workspace}`);
  };
  chooseServer = (address: string) => this.ask<ServerInfo>("PUT", "/desktop/server", { address });

  private async ask<T>(method: string, path: string, json?: unknown): Promise<T> {
    const answer = await this.exchange(method, path, json === undefined ? {} : { json });
    return (await answer.json()) as T;
  }
}

const PROGRAM = ["program"];
const LOCAL = ["local"];

/** The program itself, and who is signed in; null in a browser. */
export function useProgram() {
  const { exchange, desktop } = useHost();
  return useQuery({
    queryKey: PROGRAM,
    queryFn: () => new DesktopCalls(exchange).desktop(),
    enabled: desktop !== null,
  });
}

/** Chooses the server that the page works with; done when the page knows of it. */
export function useChooseServer(): (address: string) => Promise<void> {
  const { exchange } = useHost();
  const lists = useQueryClient();
  return async (address) => {
    await new DesktopCalls(exchange).chooseServer(address);
    await lists.invalidateQueries({ queryKey: PROGRAM });
  };
}

/** The workspaces of this machine; none in a browser. */
export function useLocalWorkspaces() {
  const { exchange, desktop } = useHost();
  return useQuery({
    queryKey: LOCAL,
    queryFn: () => new DesktopCalls(exchange).workspaces(),
    enabled: desktop !== null,
  });
}

/** Reads anew what moved; done when it is known. */
export async function refresh(lists: QueryClient, { told }: Told): Promise<void> {
  const moved = {
    account: [PROGRAM, LOCAL, ["workspaces"], ["server"]],
    workspaces: [LOCAL],
    sync: [LOCAL],
    connection: [],
    show: [],
    menu: [],
  }[told];
  await Promise.all(moved.map((queryKey) => lists.invalidateQueries({ queryKey })));
}
