/** The focus is not lost with what had it: when that is taken off the page, what stands there now has it. */

/** Where something stood that is gone. */
interface Gap {
  parent: Node;
  previous: Node | null;
  next: Node | null;
}

/** An edge that arrow keys move is nobody's next place. */
const FOCUSABLE = "a[href], button, input, select, textarea, [tabindex]:not([role=separator])";

/** Watches the page; returns how to stop. */
export function keepFocus(): () => void {
  let last: Element | null = null;
  let gap: Gap | null = null;
  const came = ({ target }: FocusEvent) => {
    last = target instanceof Element ? target : null;
    gap = null;
  };
  const went = ({ relatedTarget }: FocusEvent) => {
    if (relatedTarget !== null) return;
    // Left by a click beside it, it is not missed; taken off the page it is, which shows in a moment.
    queueMicrotask(() => {
      if (last?.isConnected && isNowhere()) last = null;
    });
  };
  const watch = new MutationObserver((records) => {
    if (!last || last.isConnected || !isNowhere()) return;
    for (const { removedNodes, target, previousSibling, nextSibling } of records)
      for (const removed of removedNodes)
        if (removed.contains(gap?.parent ?? last))
          gap = { parent: target, previous: previousSibling, next: nextSibling };
    // A dialog gives the focus back by itself, a frame later. What comes in place of a page may come later still.
    if (gap) requestAnimationFrame(() => requestAnimationFrame(give));
  });
  const give = () => {
    if (gap && isNowhere()) standsAt(gap)?.focus();
  };
  const elsewhere = () => {
    last = null;
    gap = null;
  };
  document.addEventListener("focusin", came);
  document.addEventListener("focusout", went);
  document.addEventListener("pointerdown", elsewhere, true);
  watch.observe(document.body, { childList: true, subtree: true });
  return () => {
    document.removeEventListener("focusin", came);
    document.removeEventListener("focusout", went);
    document.removeEventListener("pointerdown", elsewhere, true);
    watch.disconnect();
  };
}

/** Whether nothing that can be seen has the focus: one on what was hidden goes away with the next frame. */
export function isNowhere(): boolean {
  const at = document.activeElement;
  return at === null || at === document.body || at.getClientRects().length === 0;
}

/** The first that can be focused after the gap, before it, or around it. */
function standsAt({ parent, previous, next }: Gap): HTMLElement | null {
  for (const beside of [next, previous]) {
    const found = beside instanceof Element && beside.isConnected ? firstIn(beside) : null;
    if (found) return found;
  }
  for (let at: Node | null = parent; at instanceof Element; at = at.parentElement) {
    const main = at.querySelector("main");
    const found = at.isConnected ? ((main && firstIn(main)) ?? firstIn(at)) : null;
    if (found) return found;
  }
  return null;
}

function firstIn(place: Element): HTMLElement | null {
  const all = [place, ...place.querySelectorAll(FOCUSABLE)];
  const found = all.find((one) => one.matches(FOCUSABLE) && canTake(one as HTMLElement));
  return (found as HTMLElement | undefined) ?? null;
}

/** A message that leaves by itself is no place to stay at: what comes in place of a page may come later. */
function canTake(element: HTMLElement): boolean {
  return (
    element.tabIndex >= 0 &&
    !element.matches(":disabled, [inert] *, .toasts *") &&
    element.getClientRects().length > 0
  );
}
