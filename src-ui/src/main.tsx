/** The page in a browser, or in the window of the desktop program. */
import { show } from "./app/show";
import { webHost } from "./host/web";

if ("isTauri" in globalThis) void import("./host/tauri").then(({ tauriHost }) => show(tauriHost()));
else show(webHost());
