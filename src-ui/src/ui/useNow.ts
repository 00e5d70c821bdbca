/** The time of day for what counts on the page; draws again only where it is shown. */
import { useEffect, useState } from "react";
import { useHost } from "../host/useHost";

/** Now, moving every `ms`; zero stands still. */
export function useNow(ms: number): number {
  const host = useHost();
  const [now, setNow] = useState(host.now);
  useEffect(() => {
    if (ms <= 0) return;
    setNow(host.now());
    const timer = setInterval(() => setNow(host.now()), ms);
    return () => clearInterval(timer);
  }, [ms, host]);
  return now;
}
