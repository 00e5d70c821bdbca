/** What comes in place of something else takes its focus along, and takes it from nothing that is still there. */
import { type RefObject, useEffect, useRef } from "react";
import { isNowhere } from "./keepFocus";

/** For an element that can be focused; returns where it is told which. */
export function useTakesFocus<E extends HTMLElement>(): RefObject<E | null> {
  const element = useRef<E>(null);
  useEffect(() => {
    const frame = requestAnimationFrame(() => {
      if (isNowhere()) element.current?.focus();
    });
    return () => cancelAnimationFrame(frame);
  }, []);
  return element;
}
