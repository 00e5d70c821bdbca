// Before the first paint, so that no wrong theme flashes; and what a workspace needs is on its way before anything runs.
(() => {
  const wish = localStorage.getItem("slipway.theme") ?? "system";
  const dark = wish === "dark" || (wish !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.dataset.theme = dark ? "dark" : "light";
  // The build lists the files; see `ideHints` in vite.config.ts.
  const { desktop = "", ide = "" } = document.currentScript.dataset;
  const hints = [];
  if ("isTauri" in globalThis) hints.push(desktop);
  if (location.pathname.startsWith("/w/")) hints.push(ide);
  for (const href of new Set(hints.join(" ").split(" ").filter(Boolean))) {
    const link = document.createElement("link");
    if (href.endsWith(".js")) link.rel = "modulepreload";
    else {
      link.rel = "preload";
      link.as = href.endsWith(".css") ? "style" : "font";
    }
    link.crossOrigin = "";
    link.href = href;
    document.head.append(link);
  }
})();
