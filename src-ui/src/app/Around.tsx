/** What everything behind the entry stands in: questions and messages, lists of the server, the connection's news. */
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { type ReactNode, useEffect, useMemo } from "react";
import type { ConnectionStatus } from "../host/connection";
import type { Host } from "../host/host";
import { HostContext } from "../host/useHost";
import { keepFocus } from "../ui/keepFocus";
import { PopupLayer } from "../ui/PopupLayer";
import { createPopups, PopupContext } from "../ui/popups";

interface Props {
  host: Host;
  /** Hears of the connection as well. */
  heard?: (status: ConnectionStatus) => void;
  children: ReactNode;
}

export function Around({ host, heard, children }: Props) {
  const popups = useMemo(() => createPopups(), []);
  // What fails says so at once; the connection's return asks again, not a timer.
  const lists = useMemo(
    () => new QueryClient({ defaultOptions: { queries: { retry: false, networkMode: "always" } } }),
    [],
  );
  useEffect(keepFocus, []);
  const { socket, connection } = host;
  useEffect(() => {
    socket.start();
    const unwatch = connection.watch((status) => {
      heard?.(status);
      if (status.state !== "online") return;
      popups.back();
      void lists.invalidateQueries();
    });
    return () => {
      unwatch();
      socket.stop();
    };
  }, [socket, connection, heard, lists, popups]);
  return (
    <HostContext value={host}>
      <PopupContext value={popups}>
        <QueryClientProvider client={lists}>
          {children}
          <PopupLayer popups={popups} />
        </QueryClientProvider>
      </PopupContext>
    </HostContext>
  );
}
