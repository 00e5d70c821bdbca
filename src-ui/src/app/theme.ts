/** Light, dark or as the system wishes; `public/boot.js` applies the same wish before the first paint. */
import type { Kept } from "../host/host";

export type ThemeWish = "system" | "light" | "dark";

const KEY = "slipway.theme";
const dark = matchMedia("(prefers-color-scheme: dark)");

export function themeWish(kept: Kept): ThemeWish {
  const wish = kept.get(KEY);
  return wish === "light" || wish === "dark" ? wish : "system";
}

export function wishTheme(kept: Kept, wish: ThemeWish): void {
  if (wish === "system") kept.remove(KEY);
  else kept.set(KEY, wish);
  apply(wish);
}

/** Follows the system for as long as the page lives. */
export function followSystem(kept: Kept): void {
  dark.addEventListener("change", () => apply(themeWish(kept)));
}

function apply(wish: ThemeWish): void {
  const isDark = wish === "dark" || (wish === "system" && dark.matches);
  document.documentElement.dataset.theme = isDark ? "dark" : "light";
}
