/** The frame of every page but the IDE: header, the page's own side bar and body, status bar. */

import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useEffect, useState, useSyncExternalStore } from "react";
import { Link } from "wouter";
import { chordOf } from "../bench/actions";
import type { ServerInfo } from "../host/generated/api/ServerInfo";
import { lackHelp, lackWords } from "../host/lack";
import { toSignIn } from "../host/signIn";
import { useHost } from "../host/useHost";
import { Boundary } from "../ui/Boundary";
import { Icon } from "../ui/Icon";
import { Brand } from "./Brand";
import { moveBetweenRegions } from "./regions";

interface Props {
  title: string;
  end: ReactNode;
  children: ReactNode;
}

export function Page({ title, end, children }: Props) {
  useEffect(() => {
    document.title = `${title} – Slipway`;
  }, [title]);
  useEffect(() => {
    addEventListener("keydown", moveByKeys);
    return () => removeEventListener("keydown", moveByKeys);
  }, []);
  return (
    <div className="page">
      <header className="topbar">
        <div className="start">
          <Brand />
          <span className="medium">{title}</span>
        </div>
        <div className="end">{end}</div>
      </header>
      <Boundary key={title}>{children}</Boundary>
      <Status />
    </div>
  );
}

/** The keys that go from region to region, as in a workspace. */
function moveByKeys(event: KeyboardEvent): void {
  const by = ({ F6: 1, "Shift+F6": -1 } as const)[chordOf(event)];
  if (by === undefined || document.querySelector("dialog[open], [role=dialog]")) return;
  event.preventDefault();
  moveBetweenRegions(by);
}

function Status() {
  const { address, exchange } = useHost();
  const server = useQuery({
    queryKey: ["server"],
    queryFn: async () => (await (await exchange("GET", "/server")).json()) as ServerInfo,
    staleTime: Number.POSITIVE_INFINITY,
    enabled: address !== "",
  });
  return (
    <footer className="statusbar">
      <Connection />
      <span className="space" />
      {server.data && !server.data.can_run ? (
        <span className="status-item" title={server.data.cannot_run_reason}>
          <Icon name="alert" className="warn" /> Sessions cannot run on this server
        </span>
      ) : null}
      <span className="status-item">
        {address}
        {server.data ? ` · ${server.data.version}` : ""}
      </span>
    </footer>
  );
}

/** The connection in words; while it is gone, a button that tries at once. */
function Connection() {
  const { connection } = useHost();
  const status = useSyncExternalStore(
    (heard) => connection.watch(heard),
    () => connection.status,
  );
  // The first moments of a page are no news.
  const [settled, setSettled] = useState(false);
  useEffect(() => {
    if (status.state === "online" || "nextAt" in status) setSettled(true);
  }, [status]);
  if (status.state === "signed-out")
    return (
      <Link className="status-item" href={toSignIn()}>
        <Icon name="user" className="faint" /> Not signed in
      </Link>
    );
  if (status.state === "online" || !settled)
    return (
      <span className="status-item" role="status">
        <Icon name="cloud" className={settled ? "ok" : "faint"} />{" "}
        {settled ? "Online" : "Connecting"}
      </span>
    );
  return (
    <button
      type="button"
      className="status-item btn-reset"
      title={lackHelp(status) || "Try now"}
      onClick={() => connection.retry()}
    >
      <Icon name="cloud-off" className="warn" /> {lackWords(status)} – tries again by itself
    </button>
  );
}
