// Before the first paint, so that no wrong theme flashes.
(() => {
  const wish = localStorage.getItem("slipway.theme") ?? "system";
  const dark = wish === "dark" || (wish !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.dataset.theme = dark ? "dark" : "light";
})();
