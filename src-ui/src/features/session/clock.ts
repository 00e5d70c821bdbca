/** The time of day for what counts on the page; draws again only where it is shown. */
import { useEffect, useState } from "react";

/** Now, moving every `ms`; zero stands still. */
export function useNow(ms: number): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    if (ms <= 0) return;
    setNow(Date.now());
    const timer = setInterval(() => setNow(Date.now()), ms);
    return () => clearInterval(timer);
  }, [ms]);
  return now;
}
