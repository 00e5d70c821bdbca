/** The browser's own WebSocket, clock and chance, for the one socket. */
import type { SocketWorld, Wire } from "./socket";

export const browserWorld: SocketWorld = {
  dial: () => {
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    return new WebSocket(`${scheme}://${location.host}/api/v1/ws`) as unknown as Wire;
  },
  now: () => Date.now(),
  random: () => Math.random(),
  after: (ms, run) => {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
};
