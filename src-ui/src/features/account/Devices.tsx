/** The devices that are signed in: which, since when, and a way to sign out each other one. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import type { Device } from "../../host/generated/api/Device";
import { useHost } from "../../host/useHost";
import { Card, ListFailed, ListToCome } from "../../ui/Card";
import { Icon } from "../../ui/Icon";
import { usePopups } from "../../ui/popups";
import { useNow } from "../../ui/useNow";
import { ago, day } from "../../ui/words";

const NOW_MS = 60_000;
const DEVICES = ["devices"];

export function Devices() {
  const { exchange } = useHost();
  const { confirm, toast, failed } = usePopups();
  const client = useQueryClient();
  const now = useNow(NOW_MS);
  const { data, error, refetch } = useQuery({
    queryKey: DEVICES,
    queryFn: async ({ signal }) =>
      (await (await exchange("GET", "/account/devices", { signal })).json()) as Device[],
  });
  const revoke = async (device: Device) => {
    const sure = await confirm({
      title: `Sign out ${device.name}?`,
      text: "Its terminals close; what was not saved there stays there until the next sign-in.",
      yes: "Sign out",
      danger: true,
    });
    if (!sure) return;
    try {
      await exchange("DELETE", `/account/devices/${device.id}`);
      toast({ tone: "ok", text: `${device.name} is signed out.` });
    } catch (failure) {
      failed(failure);
    }
    await client.invalidateQueries({ queryKey: DEVICES });
  };
  return (
    <Card id="devices" title="Devices" text="Where this account is signed in.">
      {error ? <ListFailed error={error} onRetry={() => void refetch()} /> : null}
      {data ? (
        <ul className="set-list" aria-label="Devices">
          {data.map((device) => (
            <li className="set-row" key={device.id} aria-label={device.name}>
              <Icon name="monitor" className="muted" />
              <span className="grow">
                <span className="medium">{device.name}</span>
                <span className="small faint" title={device.user_agent}>
                  Last seen {ago(device.last_used_at, now)} · signed in {day(device.created_at)}
                </span>
              </span>
              {device.current ? (
                <span className="badge">
                  <Icon name="check" className="ok" />
                  This device
                </span>
              ) : (
                <button type="button" className="btn btn-sm" onClick={() => void revoke(device)}>
                  Sign out
                </button>
              )}
            </li>
          ))}
          {data.length === 1 ? (
            <li className="small faint set-note">No other device is signed in.</li>
          ) : null}
        </ul>
      ) : error ? null : (
        <ListToCome rows={2} label="Loading the devices" />
      )}
    </Card>
  );
}
