/** Arrow keys in a list of tabs, as assistive technology expects them: the focus moves, Home and End go to the ends. */
import type { KeyboardEvent } from "react";
import "./tabs.css";

export function onTabKeys(event: KeyboardEvent<HTMLElement>): void {
  const tabs = [...event.currentTarget.querySelectorAll<HTMLElement>("[role=tab]")];
  const at = tabs.indexOf(event.target as HTMLElement);
  if (at < 0) return;
  const to = {
    ArrowRight: at + 1,
    ArrowLeft: at - 1 + tabs.length,
    Home: 0,
    End: tabs.length - 1,
  }[event.key];
  if (to === undefined) return;
  event.preventDefault();
  tabs[to % tabs.length]?.focus();
}
