/** Light, dark or as the system wishes; `public/theme.js` applies the same wish before the first paint. */
export type ThemeWish = "system" | "light" | "dark";

const KEY = "slipway.theme";
const dark = matchMedia("(prefers-color-scheme: dark)");

export function themeWish(): ThemeWish {
  const wish = localStorage.getItem(KEY);
  return wish === "light" || wish === "dark" ? wish : "system";
}

export function wishTheme(wish: ThemeWish): void {
  localStorage.setItem(KEY, wish);
  apply();
}

function apply(): void {
  const wish = themeWish();
  const isDark = wish === "dark" || (wish === "system" && dark.matches);
  document.documentElement.dataset.theme = isDark ? "dark" : "light";
}

dark.addEventListener("change", apply);
