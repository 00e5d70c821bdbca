/** Our style sheets dress nothing of Monaco and xterm.js: a class that they have, too, is ours only outside of them. */
import { expect, test } from "vitest";
import xterm from "../../node_modules/@xterm/xterm/css/xterm.css?inline";
import monaco from "../../node_modules/monaco-editor/min/vs/editor/editor.main.css?inline";

const OURS = import.meta.glob<string>("../**/*.css", {
  query: "?inline",
  import: "default",
  eager: true,
});
const GUARD = ":where(:not(.monaco-editor *))";

const classesOf = (text: string) => [...text.matchAll(/\.([a-z][\w-]*)/gi)].map((hit) => hit[1]);

/** Every selector of a style sheet. */
function selectorsOf(css: string): string[] {
  const bare = css.replace(/\/\*.*?\*\//gs, "");
  return [...bare.matchAll(/([^{};]+)\{/g)]
    .flatMap((hit) => (hit[1] ?? "").trim().split(/,\s*/))
    .filter((selector) => selector !== "" && !selector.startsWith("@"));
}

test("no rule of ours for one element alone meets an element of theirs", () => {
  const theirs = new Set(classesOf(monaco + xterm));
  expect(theirs).toContain("main");
  const ours = Object.values(OURS).flatMap(selectorsOf);
  expect(ours).toContain(`.main${GUARD}`);
  const met = ours
    .filter((selector) => !selector.includes(GUARD))
    // What stands inside of something of ours stands in nothing of theirs.
    .filter((selector) => !/[\s>+~]/.test(selector))
    .filter((selector) => {
      const classes = classesOf(selector);
      return classes.length > 0 && classes.every((name) => theirs.has(name));
    });
  expect(met).toEqual([]);
});
