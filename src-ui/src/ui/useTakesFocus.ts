/** What comes in place of something else takes its focus along, and takes it from nothing that is still there. */
import { type RefObject, useEffect, useRef } from "react";

/** For an element that can be focused; returns where it is told which. */
export function useTakesFocus<E extends HTMLElement>(): RefObject<E | null> {
  const element = useRef<E>(null);
  useEffect(() => {
    // A focus on what is hidden now goes away with the next frame.
    const frame = requestAnimationFrame(() => {
      const { activeElement } = document;
      const nowhere =
        activeElement === null ||
        activeElement === document.body ||
        activeElement.getClientRects().length === 0;
      if (nowhere) element.current?.focus();
    });
    return () => cancelAnimationFrame(frame);
  }, []);
  return element;
}
