/** The terminal's colours, made of the page's tokens, so that there is one source. */
import type { ITheme } from "@xterm/xterm";

export function terminalTheme(of: Element = document.documentElement): ITheme {
  const style = getComputedStyle(of);
  const token = (name: string) => style.getPropertyValue(`--${name}`).trim();
  const dark = style.colorScheme !== "light";
  return {
    background: token("surface"),
    foreground: token("text"),
    cursor: token("text"),
    cursorAccent: token("surface"),
    selectionBackground: token("selected"),
    selectionInactiveBackground: token("hover"),
    scrollbarSliderBackground: `${token("line-strong")}40`,
    scrollbarSliderHoverBackground: `${token("line-strong")}70`,
    scrollbarSliderActiveBackground: `${token("line-strong")}90`,
    black: dark ? token("raised") : token("text"),
    red: token("danger"),
    green: token("ok"),
    yellow: token("warn"),
    blue: token("info"),
    magenta: token("review"),
    cyan: token("accent"),
    white: dark ? token("muted") : token("line"),
    brightBlack: token("faint"),
    brightRed: token("danger"),
    brightGreen: token("ok"),
    brightYellow: token("warn"),
    brightBlue: token("info"),
    brightMagenta: token("review"),
    brightCyan: token("accent"),
    brightWhite: dark ? token("text") : token("faint"),
  };
}
