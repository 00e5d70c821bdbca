/** The regions of the frame in their order, and how the focus goes from one to the next. */
import { flushSync } from "react-dom";
import { isNowhere } from "../ui/keepFocus";

/** One inside another stands before it; those that are not there are passed by. */
const REGIONS = [
  ".topbar",
  ".activity",
  ".side",
  ".file-banner",
  ".editor-area",
  ".main-frame",
  ".page main",
  ".panel",
  ".statusbar",
  ".toasts",
] as const;

/** What takes the focus in a region, the first that is there. */
const FIRST = [
  ".xterm-helper-textarea",
  "[role=tree]",
  ".history-row",
  ".monaco-editor .native-edit-context",
  ".monaco-editor textarea",
  "[role=tab][aria-selected=true]",
];
/** Else; not in the side bar, where the next Enter would decide about files. */
const FIRST_BUTTON = ["button:not([tabindex='-1']):not(:disabled)", "a[href]"];

/** Where the focus last was in each region. */
const last = new WeakMap<Element, HTMLElement>();

/** To the next region in sight (1) or the one before (-1), in a circle. */
export function moveBetweenRegions(by: 1 | -1): void {
  const regions = REGIONS.map((region) => document.querySelector<HTMLElement>(region)).filter(
    (region) => region !== null && region.getClientRects().length > 0,
  ) as HTMLElement[];
  const from = document.activeElement;
  const at = regions.findIndex((region) => region.contains(from));
  if (at >= 0 && from instanceof HTMLElement) last.set(regions[at] as HTMLElement, from);
  // From nowhere: forwards begins at the editor, which is what most came for.
  const start = at >= 0 ? at : regions.findIndex((region) => region.matches(".side"));
  for (let step = 1; step <= regions.length; step += 1) {
    const region = regions[(start + by * step + regions.length * 2) % regions.length];
    if (!region) continue;
    if (!enter(region)) region.focus();
    if (document.activeElement === region || region.contains(document.activeElement)) return;
  }
}

/** To what takes the focus in a region, if it is in sight; to the region itself while there is nothing in it. */
export function enterRegion(selector: (typeof REGIONS)[number] | ".main"): void {
  const region = document.querySelector<HTMLElement>(selector);
  if (region && !enterFirst(region)) region.focus();
}

/** Into a workspace that opens, unless something has the focus: to the open file, or to the files as they come. */
export function enterWorkspace(hasFile: boolean): void {
  if (!isNowhere()) return;
  if (hasFile) enterRegion(".editor-area");
  // A tree that is not there yet takes it from its region.
  else
    for (const place of [".side [role=tree]", ".side"])
      if (isNowhere()) document.querySelector<HTMLElement>(place)?.focus();
  if (isNowhere()) enterRegion(".main");
}

/** Into what is shown in place of the editor, at once or as soon as it is there. */
export function enterMainFrame(show: () => void): void {
  flushSync(show);
  const frame = document.querySelector<HTMLElement>(".main-frame");
  if (frame) frame.focus();
  // It takes the focus from nowhere.
  else if (document.activeElement instanceof HTMLElement) document.activeElement.blur();
}

function enter(region: HTMLElement): boolean {
  const before = last.get(region);
  if (before && region.contains(before) && before.getClientRects().length > 0) {
    before.focus();
    if (document.activeElement === before) return true;
  }
  return enterFirst(region);
}

function enterFirst(region: HTMLElement): boolean {
  for (const wish of region.matches(".side") ? FIRST : [...FIRST, ...FIRST_BUTTON])
    for (const target of region.querySelectorAll<HTMLElement>(wish)) {
      target.focus();
      if (document.activeElement === target) return true;
    }
  return false;
}
