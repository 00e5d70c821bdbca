/** The server as its administrators steer it: who may register, who may sign in, forgotten passwords. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import type { Account } from "../../host/generated/api/Account";
import type { ServerInfo } from "../../host/generated/api/ServerInfo";
import { useHost } from "../../host/useHost";
import { Card, ListFailed, ListToCome } from "../../ui/Card";
import { Icon } from "../../ui/Icon";
import { usePopups } from "../../ui/popups";
import { SettingsPage } from "../../ui/SettingsPage";
import { People } from "./People";
import "./admin.css";

const PARTS = [
  { id: "server", label: "Server", icon: "server" },
  { id: "people", label: "People", icon: "users" },
];
const SERVER = ["server"];

export function AdminPage({ account }: { account: Account }) {
  return (
    <SettingsPage title="Administration" parts={PARTS}>
      <Server />
      <People account={account} />
    </SettingsPage>
  );
}

function Server() {
  const { exchange } = useHost();
  const { toast, failed } = usePopups();
  const client = useQueryClient();
  const { data, error, refetch } = useQuery({
    queryKey: SERVER,
    queryFn: async () => (await (await exchange("GET", "/server")).json()) as ServerInfo,
  });
  // What was wished for, until the server has said yes or no.
  const [wish, setWish] = useState<boolean | null>(null);
  const open = wish ?? data?.registration_open ?? false;
  const set = async (to: boolean) => {
    setWish(to);
    try {
      await exchange("PATCH", "/admin/server", { json: { registration_open: to } });
      const text = to ? "Anyone who reaches this server may register." : "Registration is closed.";
      toast({ text, tone: "ok" });
    } catch (refused) {
      failed(refused);
    }
    await client.invalidateQueries({ queryKey: SERVER });
    setWish(null);
  };
  return (
    <Card id="server" title="Server" text={data ? `Version ${data.version}` : undefined}>
      {error ? <ListFailed error={error} onRetry={() => void refetch()} /> : null}
      {data ? (
        <ul className="set-list">
          <li className="set-row">
            <label className="grow admin-choice">
              <input
                type="checkbox"
                role="switch"
                aria-checked={open}
                className="switch-box"
                checked={open}
                onChange={(event) => void set(event.target.checked)}
              />
              <span>
                <span className="medium">New accounts may register</span>
                <span className="small faint">
                  {open
                    ? "Anyone who reaches this server can make an account."
                    : "Only those who have an account can sign in."}
                </span>
              </span>
            </label>
          </li>
          <li className="set-row">
            <Icon
              name={data.can_run ? "check" : "alert"}
              className={`admin-state ${data.can_run ? "ok" : "warn"}`}
            />
            <span className="grow">
              <span className="medium">
                {data.can_run ? "Sessions can run here" : "Sessions cannot run here"}
              </span>
              {data.can_run ? null : <span className="small faint">{data.cannot_run_reason}</span>}
            </span>
          </li>
        </ul>
      ) : error ? null : (
        <ListToCome rows={2} label="Asking the server" />
      )}
    </Card>
  );
}
