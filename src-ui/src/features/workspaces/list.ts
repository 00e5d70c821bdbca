/** The workspaces as this page knows them: whole lists, kept true by events. */
import { create } from "@bufbuild/protobuf";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import type { Workspace } from "../../host/generated/api/Workspace";
import type { WorkspaceFilter } from "../../host/generated/api/WorkspaceFilter";
import type { WorkspaceSort } from "../../host/generated/api/WorkspaceSort";
import type { Workspaces } from "../../host/generated/api/Workspaces";
import { SubscribeEventsSchema } from "../../host/generated/slipway/v1/ws_pb";
import type { Exchange } from "../../host/ide";
import { useHost } from "../../host/useHost";

/** What the side bar offers; the server knows no "with a session". */
export type Shelf = "all" | "session" | "archived" | "trash";

const FILTER: Record<Shelf, WorkspaceFilter> = {
  all: "active",
  session: "active",
  archived: "archived",
  trash: "trash",
};

/** All rows of a filter. An account has at most 500 workspaces, so that counts and search need all pages. */
export async function allPages(
  exchange: Exchange,
  filter: WorkspaceFilter,
  signal: AbortSignal,
): Promise<Workspace[]> {
  const rows: Workspace[] = [];
  let next: string | undefined;
  do {
    const cursor: string = next === undefined ? "" : `&cursor=${encodeURIComponent(next)}`;
    const answer = await exchange("GET", `/workspaces?filter=${filter}${cursor}`, { signal });
    const page = (await answer.json()) as Workspaces;
    rows.push(...page.workspaces);
    next = page.next;
  } while (next !== undefined);
  return rows;
}

function useFilter(filter: WorkspaceFilter) {
  const { exchange } = useHost();
  return useQuery({
    queryKey: ["workspaces", filter],
    queryFn: ({ signal }) => allPages(exchange, filter, signal),
  });
}

/** The lists behind all shelves, and how many rows stand on each; a count is unknown until its list is there. */
export function useShelves() {
  const lists = {
    active: useFilter("active"),
    archived: useFilter("archived"),
    trash: useFilter("trash"),
  };
  const rows = (shelf: Shelf): Workspace[] | undefined => {
    const all = lists[FILTER[shelf]].data;
    return shelf === "session" ? all?.filter(hasSession) : all;
  };
  return { rows, list: (shelf: Shelf) => lists[FILTER[shelf]] };
}

export function hasSession({ session }: Workspace): boolean {
  return session !== undefined && session.state !== "stopped" && session.state !== "failed";
}

/** Reads the lists again whenever the server says that they moved. */
export function useMovedWorkspaces(): void {
  const { socket } = useHost();
  const client = useQueryClient();
  useEffect(() => {
    const stream = socket.open({
      first: () => ({
        case: "subscribe",
        value: create(SubscribeEventsSchema, { workspaceId: "" }),
      }),
      frame: (body) => {
        if (body.case === "event" && body.value.event.case === "workspaces")
          void client.invalidateQueries({ queryKey: ["workspaces"] });
      },
      closed: () => undefined,
      lost: () => undefined,
    });
    return () => stream.close();
  }, [socket, client]);
}

/** The rows that hold the words, in the order wished for. */
export function arranged(
  rows: readonly Workspace[],
  words: string,
  sort: WorkspaceSort,
): Workspace[] {
  const wanted = words.trim().toLowerCase();
  const found = rows.filter((row) => row.name.toLowerCase().includes(wanted));
  const newest = (key: "changed_at" | "created_at") => (a: Workspace, b: Workspace) =>
    Date.parse(b[key]) - Date.parse(a[key]);
  const names = new Intl.Collator("en", { numeric: true, sensitivity: "base" });
  if (sort === "name") return found.sort((a, b) => names.compare(a.name, b.name));
  return found.sort(newest(sort === "created" ? "created_at" : "changed_at"));
}
