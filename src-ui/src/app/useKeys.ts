/** The keys of what can be done, wherever the focus is. */
import { useEffect, useRef } from "react";
import { type Action, chordOf } from "../bench/actions";
import { skipsShell } from "../features/terminal/keys";
import type { Popups } from "../ui/popups";

/** Hears them before Monaco and xterm do. A program in a terminal keeps its own. */
export function useKeys(actions: () => readonly Action[], toast: Popups["toast"]): void {
  const newest = useRef({ actions, toast });
  newest.current = { actions, toast };
  useEffect(() => {
    const heard = (event: KeyboardEvent) => {
      const chord = chordOf(event);
      const inTerminal = event.target instanceof Element && event.target.closest(".xterm") !== null;
      if (inTerminal && !skipsShell(chord)) return;
      // Monaco's box for finding stays in the page, and holds no keys but its own.
      if (document.querySelector("dialog[open], [role=dialog]:not(.monaco-editor *)")) return;
      const { actions, toast } = newest.current;
      const action = actions().find((one) => !one.told && one.keys.includes(chord));
      if (!action) return;
      event.preventDefault();
      event.stopPropagation();
      if (action.unavailable === null) action.run();
      else toast({ text: `${action.title}: ${action.unavailable}` });
    };
    addEventListener("keydown", heard, true);
    return () => removeEventListener("keydown", heard, true);
  }, []);
}
